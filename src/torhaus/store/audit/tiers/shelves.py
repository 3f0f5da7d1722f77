"""Where day files of one tier are. This one: a directory."""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from hashlib import file_digest
from pathlib import Path
from typing import Protocol

from torhaus.model.evidence import Written
from torhaus.store.audit.disk import prepare, sync_directory

LOCAL = "local"

_NAME = re.compile(
    r"day=[0-9]{4}-[0-9]{2}-[0-9]{2}/[A-Za-z0-9][A-Za-z0-9_-]{0,63}-[0-9]{10}\.parquet"
)


class ShelfError(Exception):
    """It cannot be put there, or had from there, now. The text is a sentence for people."""


class FrozenError(ShelfError):
    """It has to be restored first."""


class Shelf(Protocol):
    """`place` and `storage_class`: as the journal has them. Every method raises ShelfError.

    All of them may be called again when it is not known how the time before ended.
    """

    @property
    def place(self) -> str: ...

    @property
    def storage_class(self) -> str: ...

    def put(self, source: Path, file: Written) -> None:
        """Returns when the whole file is there for sure; never replaces another one."""
        ...

    def fetch(self, file: Written, target: Path) -> None:
        """Makes `target` of it, whole and proved by its digest, or not at all."""
        ...

    def check(self, file: Written) -> None:
        """Raises ShelfError unless it is there, as large as it should be."""
        ...

    def remove(self, name: str) -> None:
        """Also when it is not there."""
        ...

    def names(self) -> Iterator[str]:
        """The day files that are there, whosever they are."""
        ...


def proper(name: str) -> str:
    """A day file's name that leads nowhere else. Raises ShelfError."""
    if _NAME.fullmatch(name) is None:
        raise ShelfError(f"{name[:200]!r} is no day file's name")
    return name


def digest(path: Path) -> str:
    with path.open("rb") as stream:
        return file_digest(stream, "sha256").hexdigest()


def same(path: Path, file: Written) -> bool:
    """Whether this is the file, to its last octet. Raises OSError."""
    return path.stat().st_size == file.octets and digest(path) == file.sha256


class LocalShelf:
    """A directory of its own: `data/audit/warm`."""

    place = LOCAL
    storage_class = ""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def path(self, name: str) -> Path:
        return self.directory / proper(name)

    def put(self, source: Path, file: Written) -> None:
        target = self.path(file.file)
        try:
            if not target.exists():
                settle(source, target)
            if not same(target, file):
                raise ShelfError(f"{target} is there already, and is another file")
        except OSError as error:
            raise _failed(target, error) from error

    def fetch(self, file: Written, target: Path) -> None:
        source = self.path(file.file)
        try:
            if not same(source, file):
                raise ShelfError(f"{source} is not what the journal says it is")
            settle(source, target)
        except OSError as error:
            raise _failed(source, error) from error

    def check(self, file: Written) -> None:
        path = self.path(file.file)
        try:
            if path.stat().st_size == file.octets:
                return
        except OSError as error:
            raise _failed(path, error) from error
        raise ShelfError(f"{path} is not as large as the journal says it is")

    def remove(self, name: str) -> None:
        path = self.path(name)
        try:
            path.unlink(missing_ok=True)
            if path.parent.is_dir():
                sync_directory(path.parent)
            with suppress(OSError):  # other files are in it
                path.parent.rmdir()
        except OSError as error:
            raise _failed(path, error) from error

    def names(self) -> Iterator[str]:
        for path in sorted(self.directory.glob("day=*/*.parquet")):
            name = f"{path.parent.name}/{path.name}"
            if _NAME.fullmatch(name) is not None and not path.is_symlink():
                yield name


def settle(source: Path, target: Path) -> None:
    """Another name for the file, or a copy where disks differ; whole and durable. OSError."""
    prepare(target.parent)
    fresh = target.with_name(f".{target.name}.part")
    fresh.unlink(missing_ok=True)
    try:
        os.link(source, fresh, follow_symlinks=False)
    except OSError:
        _copy(source, fresh)
    fresh.replace(target)
    sync_directory(target.parent)


def _copy(source: Path, fresh: Path) -> None:
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    with source.open("rb") as stream, os.fdopen(os.open(fresh, flags, 0o600), "wb") as copy:
        while block := stream.read(1024 * 1024):
            copy.write(block)
        copy.flush()
        os.fsync(copy.fileno())


def _failed(path: Path, error: OSError) -> ShelfError:
    return ShelfError(f"{path}: {error.strerror or error}")
