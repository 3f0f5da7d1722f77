"""Append-only files of JSON lines, each written by one process."""

import fcntl
import os
import secrets
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from torhaus.store.audit.disk import sync_directory, write

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_PROBE = b" " * 4095 + b"\n"


class Segment:
    """One open file. It holds a lock (flock) for as long as it is written.

    `size` counts the bytes that are known to be on disk. Every method may raise OSError; then the
    next one first takes back whatever is half written.
    """

    def __init__(self, directory: Path, stamp: str) -> None:
        """Creates `seg-<stamp>-<pid>-<random>.jsonl` (0600) and makes its name durable."""
        self.path = directory / f"seg-{stamp}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self.size = 0
        self._torn = False
        self._fd = _held(self.path)
        try:
            sync_directory(directory)
        except OSError:
            self.close()
            raise

    def append(self, lines: bytes | bytearray) -> None:
        """Returns when all of it is on disk."""
        self.cut()
        self._torn = True
        write(self._fd, lines)
        os.fdatasync(self._fd)
        self.size += len(lines)
        self._torn = False

    def cut(self) -> None:
        """Takes back whatever an `append` that failed has left behind."""
        if self._torn:
            os.ftruncate(self._fd, self.size)
            os.fdatasync(self._fd)
            self._torn = False

    def prove(self) -> None:
        """Writes a block, syncs it, and takes it back: the disk does accept data."""
        self.cut()
        self._torn = True
        try:
            write(self._fd, _PROBE)
            os.fdatasync(self._fd)
        finally:
            self.cut()

    def let_go(self) -> None:
        """As it is: somebody else may repair it."""
        with suppress(OSError):  # whatever it is, the descriptor is gone
            os.close(self._fd)

    def close(self) -> None:
        """One that holds nothing is removed."""
        try:
            if self.size == 0:
                self.path.unlink(missing_ok=True)
        finally:
            os.close(self._fd)


def _held(path: Path) -> int:
    """The new file, open and locked.

    Before it is locked, another process may take it for one that was left behind, and remove it.
    """
    while True:
        fd = os.open(path, _APPEND, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX)
            if os.fstat(fd).st_nlink:
                return fd
        except OSError:
            os.close(fd)
            raise
        os.close(fd)


def stamp(now: float) -> str:
    """Unix seconds as in a segment's name: names sort by time."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S%fZ")


def segments(directory: Path) -> list[Path]:
    """All segments in the order in which they were opened."""
    return sorted(directory.glob("seg-*.jsonl"))


def being_written(fd: int) -> bool:
    """Whether a process that lives holds the segment. Raises OSError."""
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    fcntl.flock(fd, fcntl.LOCK_UN)
    return False
