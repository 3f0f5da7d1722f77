"""A file that is there whole or not at all, and the digest of what is in it."""

import hashlib
import os
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from torhaus.store.audit.disk import sync_directory

_BLOCK = 1024 * 1024


class Written:
    """Counts and digests what goes to a stream."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()

    @property
    def sha256(self) -> str:
        return self._sum.hexdigest()

    def write(self, data: bytes) -> None:
        self._sum.update(data)
        self._stream.write(data)

    def copy(self, source: BinaryIO) -> None:
        while block := source.read(_BLOCK):
            self.write(block)


class TakenError(Exception):
    """There is a file of this name already."""


@contextmanager
def written(out: str, *, force: bool) -> Iterator[Written]:
    """Where to write: standard output for `-`, else a file that gets its name at the very end.

    A file is readable by its owner alone. Raises TakenError unless `force`, and OSError.
    """
    if out == "-":
        yield Written(sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    path = Path(out)
    if not force and os.path.lexists(path):
        raise TakenError(out)  # better now than after minutes
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(6)}")
    try:
        with os.fdopen(os.open(fresh, _FLAGS, 0o600), "wb") as stream:
            yield Written(stream)
            stream.flush()
            os.fsync(stream.fileno())
        _publish(fresh, path, force=force)
    finally:
        fresh.unlink(missing_ok=True)
    sync_directory(path.parent)


_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


def _publish(fresh: Path, path: Path, *, force: bool) -> None:
    if force:
        fresh.replace(path)
        return
    try:
        os.link(fresh, path)  # unlike a rename, it never takes another file's place
    except FileExistsError as error:
        raise TakenError(str(path)) from error
