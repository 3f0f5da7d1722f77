"""Append-only files of JSON lines, each written by one process and repaired after a crash."""

import fcntl
import os
import secrets
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

_APPEND = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
_PROBE = b" " * 4095 + b"\n"
_STEP = 64 * 1024


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
        _write(self._fd, lines)
        os.fdatasync(self._fd)
        self.size += len(lines)

    def cut(self) -> None:
        """Takes back whatever an `append` that failed has left behind."""
        os.ftruncate(self._fd, self.size)
        os.fdatasync(self._fd)

    def prove(self) -> None:
        """Writes a block, syncs it, and takes it back: the disk does accept data."""
        try:
            _write(self._fd, _PROBE)
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


def prepare(directory: Path) -> None:
    """Creates the directory and its missing parents (0700), durably. Raises OSError."""
    if directory.is_dir():
        return
    if directory.parent != directory:
        prepare(directory.parent)
    directory.mkdir(mode=0o700, exist_ok=True)
    sync_directory(directory.parent)


def sync_directory(directory: Path) -> None:
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


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
    size = os.fstat(fd).st_size
    whole = _whole(fd, size)
    if whole == size:
        return 0
    _keep(path.with_name(path.name + ".torn"), os.pread(fd, size - whole, whole))
    os.ftruncate(fd, whole)
    os.fsync(fd)
    return size - whole


def _whole(fd: int, size: int) -> int:
    """Where the last line that is whole ends."""
    end = size
    while end > 0:
        start = max(0, end - _STEP)
        newline = os.pread(fd, end - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        end = start
    return 0


def _keep(path: Path, torn: bytes) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path, flags, 0o600)
    try:
        _write(fd, torn)
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_directory(path.parent)


def _write(fd: int, data: bytes | bytearray) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]  # a full disk takes a part before it refuses
