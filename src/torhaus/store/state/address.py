"""Where the state database is, from a path or a URL."""

import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError

from torhaus.model.ports import StateError

_UNVERIFIED = ("disable", "allow", "prefer", "require")


class Address(msgspec.Struct, frozen=True):
    """Where the database is, and what the driver's `connect` takes besides."""

    url: URL
    more: Mapping[str, Any] = {}


def file(path: Path) -> Address:
    return Address(URL.create("sqlite+aiosqlite", database=str(path)))


def postgres(url: str) -> Address:
    """Raises StateError, which does not repeat the URL: it holds the password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StateError("storage.state is not a URL: write postgresql://user@host/name") from error
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise StateError("storage.state must begin with postgresql://")
    asked = {name: str(value) for name, value in parsed.query.items()}
    mode, root = asked.pop("sslmode", None), asked.pop("sslrootcert", None)
    if asked:
        raise StateError(f"storage.state has an option that is not known: {', '.join(asked)}")
    return Address(
        parsed.set(drivername="postgresql+asyncpg", query={}),
        {} if mode is None else {"ssl": _tls(mode, root)},
    )


def _tls(mode: str, root: str | None) -> ssl.SSLContext | str:
    """Libpq's sslmode; without sslrootcert, the system's authorities are trusted."""
    if mode in _UNVERIFIED:
        return mode
    if mode not in ("verify-ca", "verify-full"):
        raise StateError(f"storage.state: sslmode is {', '.join(_UNVERIFIED)} or verify-full")
    try:
        context = ssl.create_default_context(cafile=root)
    except OSError as error:
        raise StateError("storage.state: the file of sslrootcert cannot be used") from error
    context.check_hostname = mode == "verify-full"
    return context
