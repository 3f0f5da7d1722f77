"""The keys behind stored secrets: from the environment, from a file, or made beside the data."""

import base64
import binascii
import os
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

from torhaus.identity.sealing import KEY, KeyRing
from torhaus.store.audit.disk import sync_directory
from torhaus.store.once import keep_first

NAME = "vault.key"
VARIABLE = "TORHAUS_KEYS"
FILE_VARIABLE = "TORHAUS_KEYS_FILE"
KEPT = 2
"""Keys at the beginning that stay in Torhaus's own file although nothing needs them."""
_MAX = 64 * 1024


class Ring:
    """The port `Keys`: the key ring, read again when a secret names a key that is not in it.

    Another process may have added one meanwhile. `TORHAUS_KEYS` holds keys, `TORHAUS_KEYS_FILE`
    names a file of them; without both, `vault.key` in the data folder is made. Keys are 32 bytes in
    base64, separated by commas or line breaks. `told`: hears of the keys as they are written, so
    that nothing repeats them. Raises OSError and ValueError.
    """

    def __init__(
        self,
        data_dir: Path,
        environ: Mapping[str, str],
        random: Callable[[int], bytes],
        told: Callable[[list[str]], None] = lambda _: None,
    ) -> None:
        self._environ = environ
        self._random = random
        self._told = told
        named = environ.get(FILE_VARIABLE)
        self._given = bool(environ.get(VARIABLE))
        self._own = not self._given and not named
        self.path = Path(named) if named else data_dir / NAME
        if self._own and not self.path.exists():
            data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            keep_first(self.path, _line(random(KEY)), random)
        self._mark: object = None
        self._ring = self._read()

    def ring(self, id: str | None = None) -> KeyRing:
        """The ring; read anew when it lacks the key `id`."""
        if id is not None and id not in self._ring.ids:
            self._ring = self._read()
        return self._ring

    def ids(self) -> tuple[str, ...]:
        return self._ring.ids

    def follow(self) -> None:
        if not self._given and _mark(self.path) != self._mark:
            self._ring = self._read()

    def fresh(self, sealing: str) -> str:
        self._ring = self._read()
        if self._own and self._ring.first == sealing:
            self._write([self._random(KEY), *self._keys()])
        return self._ring.first

    def drop(self, needed: frozenset[str]) -> tuple[str, ...]:
        keys = {_id(key): key for key in self._keys()}
        # The one before stays for once: a copy of the database that is put back needs it.
        kept = [id for at, id in enumerate(keys) if id in needed or at < KEPT]
        if not self._own:
            return tuple(id for id in keys if id not in needed)
        if len(kept) < len(keys):
            self._write([keys[id] for id in kept])
        return tuple(id for id in keys if id not in kept)

    def _write(self, keys: list[bytes]) -> None:
        _replace(self.path, b"".join(map(_line, keys)), self._random)
        self._ring = self._read()

    def _read(self) -> KeyRing:
        self._mark = None if self._given else _mark(self.path)
        keys = self._keys()
        self._told([base64.b64encode(key).decode() for key in keys])
        return KeyRing(keys)

    def _keys(self) -> list[bytes]:
        if self._given:
            return _parsed(self._environ[VARIABLE], VARIABLE)
        return _parsed(_text(self.path), str(self.path))


def _id(key: bytes) -> str:
    return KeyRing((key,)).first


def _mark(path: Path) -> object:
    """Another one when the file is another."""
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _text(path: Path) -> str:
    fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    with os.fdopen(fd, "rb") as stream:
        mode = os.fstat(stream.fileno()).st_mode
        if stat.S_ISREG(mode) and mode & 0o007:
            raise ValueError(f"{path} may be read by everybody: chmod 600 {path}")
        raw = stream.read(_MAX)
    try:
        return raw.decode("ascii")
    except UnicodeDecodeError:
        raise ValueError(_wrong(str(path))) from None


def _parsed(text: str, where: str) -> list[bytes]:
    rows = [row.partition("#")[0] for row in text.splitlines()]
    words = [word for row in rows for word in row.replace(",", " ").split()]
    try:
        keys = [base64.b64decode(word, validate=True) for word in words]
    except binascii.Error:
        raise ValueError(_wrong(where)) from None  # what was read could be in the cause
    if not keys or any(len(key) != KEY for key in keys):
        raise ValueError(_wrong(where))
    return keys


def _wrong(where: str) -> str:
    return f"{where} must hold keys of {KEY} bytes in base64: make one with openssl rand -base64 32"


def _line(key: bytes) -> bytes:
    return base64.b64encode(key) + b"\n"


def _replace(path: Path, content: bytes, random: Callable[[int], bytes]) -> None:
    """Whole and durable: a reader finds the old file or the new one, whenever we are killed.

    Where the path is a link, what it leads to: others may read it by another.
    """
    path = path.resolve()
    for left in path.parent.glob(f".{path.name}.next-*"):  # by one who was killed; we are alone
        left.unlink(missing_ok=True)
    mode = stat.S_IMODE(path.stat().st_mode) & 0o660
    fresh = path.with_name(f".{path.name}.next-{random(8).hex()}")
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb") as stream:
            os.fchmod(stream.fileno(), mode)
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        fresh.replace(path)
        sync_directory(path.parent)
    finally:
        fresh.unlink(missing_ok=True)
