"""Append-only files of JSON lines, each written by one process and repaired after a crash."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from torhaus.store.audit.disk import cut_torn, sync_directory, write

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_PROBE = b" " * 4095 + b"\n"


class Segment:
    """One open file. It holds a lock (flock) for as long as it is written: unlocked means sealed.

    `size` counts the bytes that are known to be on disk. Every method may raise OSError.
    """

    def __init__(self, directory: Path, stamp: str) -> None:
        """Creates `seg-<stamp>-<pid>-<random>.jsonl` (0600) and makes its name durable."""
        self.path = directory / f"seg-{stamp}-{os.getpid()}-{secrets.token_hex(4)}.jsonl"
        self.size = 0
        self._fd = os.open(self.path, _APPEND, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX)
            sync_directory(directory)
        except OSError:
            self.close()
            raise

    def append(self, lines: bytes | bytearray) -> None:
        """Returns when all of it is on disk. After an OSError, `cut` before anything else."""
        write(self._fd, lines)
        os.fdatasync(self._fd)
        self.size += len(lines)

    def cut(self) -> None:
        """Takes back whatever an `append` that failed has left behind."""
        os.ftruncate(self._fd, self.size)
        os.fdatasync(self._fd)

    def prove(self) -> None:
        """Writes a block, syncs it, and takes it back: the disk does accept data."""
        try:
            write(self._fd, _PROBE)
            os.fdatasync(self._fd)
        finally:
            self.cut()

    def close(self) -> None:
        """Seals it; one that holds nothing is removed."""
        try:
            if self.size == 0:
                self.path.unlink(missing_ok=True)
        finally:
            os.close(self._fd)


def stamp(now: float) -> str:
    """Unix seconds as in a segment's name: names sort by time."""
    return datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%S%fZ")


def segments(directory: Path) -> list[Path]:
    """All segments in the order in which they were opened."""
    return sorted(directory.glob("seg-*.jsonl"))


def repair(directory: Path) -> Iterator[tuple[Path, int]]:
    """Cuts the torn last line off every segment that no living process writes.

    The torn bytes are kept beside it in `<name>.torn`. Yields what was repaired, and the number
    of bytes. Raises OSError.
    """
    for path in segments(directory):
        try:
            fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            continue  # sealed, and moved on by another process
        try:
            torn = _repaired(fd, path)
        finally:
            os.close(fd)
        if torn:
            yield path, torn


def _repaired(fd: int, path: Path) -> int:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return 0
    return cut_torn(fd, path)
