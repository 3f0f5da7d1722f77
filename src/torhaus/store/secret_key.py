"""The secret behind every seal, kept beside the data it protects."""

import base64
import binascii
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from torhaus.store.once import keep_first

SIZE = 32
NAME = "seal.key"
VARIABLE, FILE_VARIABLE = "TORHAUS_SEAL_KEY", "TORHAUS_SEAL_KEY_FILE"


def sealing_secret(data_dir: Path, random: Callable[[int], bytes]) -> bytes:
    """The secret of this installation, made on first use, readable by its owner alone.

    Several processes may start at once: the first to write wins, the others read its secret.
    Raises OSError; ValueError when the file has been damaged.
    """
    data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = data_dir / NAME
    if not path.exists():
        keep_first(path, random(SIZE), random)
    return _read(path)


def shared_secret(
    environ: Mapping[str, str], data_dir: Path, random: Callable[[int], bytes]
) -> bytes:
    """The secret that several gateways of one database have in common.

    `TORHAUS_SEAL_KEY` holds it, 32 bytes in base64, or `TORHAUS_SEAL_KEY_FILE` names a file that
    does; else it is this installation's own. Raises as `sealing_secret`.
    """
    told, named = environ.get(VARIABLE), environ.get(FILE_VARIABLE)
    if told:
        return _parsed(told, VARIABLE)
    if not named:
        return sealing_secret(data_dir, random)
    with open(named, "rb") as file:
        mode = os.fstat(file.fileno()).st_mode
        if stat.S_ISREG(mode) and mode & 0o007:
            raise ValueError(f"{named} may be read by everybody: chmod 600 {named}")
        return _parsed(file.read(1024).decode("ascii", "replace"), named)


def _parsed(text: str, where: str) -> bytes:
    try:
        found = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        found = b""
    if len(found) != SIZE:  # not `from`: what was read could be in the cause
        raise ValueError(f"{where} must hold {SIZE} bytes in base64: openssl rand -base64 32")
    return found


def _read(path: Path) -> bytes:
    secret = path.read_bytes()
    if len(secret) != SIZE:
        raise ValueError(f"{path} must hold exactly {SIZE} bytes; restore it from a backup")
    return secret
