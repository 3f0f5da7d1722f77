"""Sinks on this machine: a file, and the gateway's standard output."""

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from torhaus.model.shipping import DeliveryError, FileTarget, Parcel, StdoutTarget
from torhaus.store.audit.disk import sync_directory, write

_FLAGS = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class FileSink:
    """Appends lines as they stand in the log, each batch synced. Rotation may rename the file.

    A new file is readable by its owner alone.
    """

    def __init__(self, target: FileTarget) -> None:
        self._path = Path(target.path)
        self._fd: int | None = None

    def deliver(self, batch: Sequence[Parcel]) -> None:
        try:
            fd = self._open()
            size = os.fstat(fd).st_size
            try:
                write(fd, b"".join(parcel.line + b"\n" for parcel in batch))
                os.fdatasync(fd)
            except OSError:
                os.ftruncate(fd, size)  # half a batch, and maybe half a line
                raise
        except OSError as error:
            self.close()
            raise DeliveryError(f"the file cannot be written: {error.strerror}") from error

    def _open(self) -> int:
        """The file that has the name now."""
        if self._fd is not None and self._renamed(self._fd):
            self.close()
        if self._fd is None:
            self._fd = os.open(self._path, _FLAGS, 0o600)
            self._end_line(self._fd)
            sync_directory(self._path.parent)
        return self._fd

    def _renamed(self, fd: int) -> bool:
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return True
        return not os.path.samestat(found, os.fstat(fd))

    def _end_line(self, fd: int) -> None:
        """After half a line of a crash, the next one begins at its beginning."""
        size = os.fstat(fd).st_size
        if size and os.pread(fd, 1, size - 1) != b"\n":
            write(fd, b"\n")

    def close(self) -> None:
        fd, self._fd = self._fd, None
        if fd is not None:
            os.close(fd)


class StdoutSink:
    """Lines as they stand in the log, among whatever else the program prints there."""

    def __init__(self, _target: StdoutTarget) -> None:
        self._fd = os.dup(sys.__stdout__.fileno() if sys.__stdout__ is not None else 1)

    def deliver(self, batch: Sequence[Parcel]) -> None:
        try:
            write(self._fd, b"".join(parcel.line + b"\n" for parcel in batch))
        except OSError as error:
            raise DeliveryError(f"nobody reads standard output: {error.strerror}") from error

    def close(self) -> None:
        os.close(self._fd)
