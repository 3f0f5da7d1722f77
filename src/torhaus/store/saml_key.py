"""The key that SAML requests are signed with, beside the data."""

import os
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from torhaus.store.once import keep_first

NAME = "saml.pem"
_CERTIFICATE = "-----BEGIN CERTIFICATE-----"

Pair = Callable[[datetime], tuple[str, str]]


def saml_pair(data_dir: Path, now: datetime, pair: Pair) -> tuple[str, str]:
    """Key and certificate of this installation, in PEM, made on first use by `pair`.

    Raises OSError; ValueError when the file has been damaged.
    """
    path = data_dir / NAME
    if path.exists():
        found = path.read_bytes()
    else:
        found = keep_first(path, "".join(pair(now)).encode(), os.urandom)
    key, mark, certificate = found.decode().partition(_CERTIFICATE)
    if "PRIVATE KEY" not in key or not mark:
        raise ValueError(f"{path} must hold a key and a certificate: restore it from a backup")
    return key, mark + certificate
