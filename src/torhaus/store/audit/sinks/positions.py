"""How far each sink has come in each segment, kept on disk."""

import fcntl
import os
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import msgspec

from torhaus.store.audit.disk import prepare, sync_directory
from torhaus.store.audit.segments import segments

SYNCED = 2.0
"""Seconds."""


class Place(msgspec.Struct):
    """How much of a segment is delivered: octets, lines, and the records among these."""

    offset: int = 0
    lines: int = 0
    records: int = 0


class Book(msgspec.Struct, kw_only=True):
    """The file of one sink. `days`: rows delivered of day files that took undelivered segments.

    `refused`: records set aside. `error`: the newest one, empty after a delivery.
    """

    segments: dict[str, Place] = {}
    days: dict[str, int] = {}
    delivered: int = 0
    refused: int = 0
    error: str = ""
    failed_at: float = 0.0
    saved_at: float = 0.0


class DamagedBookError(Exception):
    """A sink's position cannot be read. The text says what to do."""


def shelf(audit: Path) -> Path:
    """Where positions are, below `data/audit`."""
    return audit / "sinks"


def load(audit: Path, name: str) -> Book | None:
    """None when the sink has never delivered anything. Raises OSError, DamagedBookError."""
    path = shelf(audit) / f"{name}.json"
    try:
        found = path.read_bytes()
        # Some file systems leave an empty file after a power cut: as if there were none.
        return msgspec.json.decode(found, type=Book) if found else None
    except FileNotFoundError:
        return None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise DamagedBookError(
            f"{path} is damaged: remove it to have everything delivered again"
        ) from error


class Positions:
    """The position of one sink, which one process at a time may hold."""

    def __init__(self, audit: Path, name: str, clock: Callable[[], float] = time.time) -> None:
        self._audit = audit
        self._name = name
        self._clock = clock
        self._lock: int | None = None
        self._synced = float("-inf")
        self.book = Book()

    def take(self) -> bool:
        """Whether this process has the sink now. Raises OSError, DamagedBookError."""
        directory = shelf(self._audit)
        prepare(directory)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(directory / f"{self._name}.lock", flags, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.book = load(self._audit, self._name) or Book()
        except BlockingIOError:
            os.close(lock)
            return False
        except BaseException:
            os.close(lock)
            raise
        self._lock = lock
        return True

    def save(self) -> None:
        """Whole or not at all. A killed process remembers all of it. Raises OSError.

        After a power cut it may be the one of `SYNCED` seconds before: then some is delivered
        again. More syncs would make calls wait, whose records go to the same disk.
        """
        now = time.monotonic()
        synced = now - self._synced >= SYNCED
        self.book.saved_at = self._clock()
        path = shelf(self._audit) / f"{self._name}.json"
        fresh = path.with_name(f".{path.name}.new")  # ours alone, under the lock
        flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
        with os.fdopen(os.open(fresh, flags, 0o600), "wb") as stream:
            stream.write(msgspec.json.encode(self.book))
            stream.flush()
            if synced:
                os.fsync(stream.fileno())
        fresh.replace(path)
        if synced:
            sync_directory(path.parent)
            self._synced = now

    def release(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def awaited(audit: Path, sinks: Iterable[str], patience: float, now: float) -> set[str]:
    """Names of segments that some sink still has to deliver: they must not be removed yet.

    A segment that was written to its end more than `patience` seconds ago is no longer waited
    for. A position that cannot be read holds everything. Raises OSError.
    """
    books = [_book(audit, name) for name in sinks]
    return {
        path.name
        for path in segments(audit / "hot")
        if any(_waits(book, path, patience, now) for book in books)
    }


def _book(audit: Path, name: str) -> Mapping[str, Place]:
    try:
        found = load(audit, name)
    except DamagedBookError:
        return {}
    return {} if found is None else found.segments


def _waits(places: Mapping[str, Place], path: Path, patience: float, now: float) -> bool:
    try:
        found = path.stat()
    except FileNotFoundError:
        return False
    place = places.get(path.name)
    if place is not None and place.offset >= found.st_size:
        return False
    return now - found.st_mtime <= patience


def undelivered(audit: Path, sinks: Iterable[str]) -> dict[str, str]:
    """For each sink that is behind: the oldest segment it has not delivered to its end."""
    found: dict[str, str] = {}
    for name in sinks:
        left = awaited(audit, [name], float("inf"), 0.0)
        if left:
            found[name] = min(left)
    return found
