"""What append-only files need of a disk: whole writes, durable names, no torn last lines."""

import errno
import os
import stat
from pathlib import Path

_STEP = 64 * 1024
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW


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


def plain(path: Path) -> int:
    """A file, open to be read. Raises OSError, also for a pipe or device, which could hang us."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(fd).st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "it is no plain file", str(path))
    return fd


def write(fd: int, data: bytes | bytearray) -> None:
    left = memoryview(data)
    while left:
        left = left[os.write(fd, left) :]  # a full disk takes a part before it refuses


def put(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Replaces the file by a whole one, durably. Raises OSError."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    fd = os.open(fresh, _NEW, mode)
    try:
        write(fd, content)
        os.fsync(fd)
    finally:
        os.close(fd)
    fresh.replace(path)
    sync_directory(path.parent)


def cut_torn(fd: int, path: Path, most: int | None = None) -> int:
    """Cuts a last line that has no end off a file that nobody else writes; returns its length.

    So is what is behind `most` octets. What is cut is kept beside the file in `<name>.torn`.
    Raises OSError.
    """
    size = os.fstat(fd).st_size
    whole = _whole(fd, size if most is None else min(size, most))
    if whole == size:
        return 0
    _keep(path.with_name(path.name + ".torn"), os.pread(fd, size - whole, whole))
    os.ftruncate(fd, whole)
    os.fsync(fd)
    return size - whole


def last_line(fd: int, size: int) -> bytes:
    """The last line of a file whose lines are whole, with its break; empty if it has none."""
    start = _whole(fd, size - 1) if size else 0
    return os.pread(fd, size - start, start)


def _whole(fd: int, size: int) -> int:
    """Where the last line that is whole ends, of the first `size` octets."""
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
        write(fd, torn)
        os.fsync(fd)
    finally:
        os.close(fd)
    sync_directory(path.parent)
