"""Reads what is added to segments, by any process and over rotation, once it surely stays."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import structlog

from torhaus.audit.line import read
from torhaus.model.shipping import Parcel
from torhaus.store.audit.segments import segments
from torhaus.store.audit.sinks.positions import Book, Place

log = structlog.get_logger()

MOST_OCTETS = 1024 * 1024
"""Read at once."""

LONGEST = 16 * 1024 * 1024
"""No line of a record comes near this; what is longer is passed over."""

STANDS = 0.1
"""Seconds after which the writer has not taken back what it wrote (a full disk, a test write)."""

LEFT_ALONE = 60.0
"""Seconds since the last write after which blanks at the end are there to stay (a crash)."""

_NO_RECORD = (b'{"segment":', b'{"checkpoint":')
_RECORD = b'{"timestamp":'
COUNTED = 64 * 1024 * 1024
"""Octets looked through at most in one counting."""


class Load:
    """What was read from one segment. `damaged`: lines that are no records, and their numbers.

    `day`: it comes from a day file; the key under which a book has how far that is delivered.
    """

    __slots__ = ("damaged", "day", "parcels", "place", "source")

    def __init__(self, source: str, place: Place, day: str = "") -> None:
        self.source = source
        self.day = day
        self.place = Place(place.offset, place.lines, place.records)
        self.parcels: list[Parcel] = []
        self.damaged: list[tuple[int, bytes]] = []

    def keep(self, book: Book) -> None:
        """It is delivered."""
        if self.day:
            book.days[self.day] = self.place.lines
        else:
            book.segments[self.source] = self.place


class _Sight:
    """`size` at the time `at`; `stands`: what was there long enough before."""

    __slots__ = ("at", "size", "stands")

    def __init__(self, at: float, size: int) -> None:
        self.at = at
        self.size = size
        self.stands = 0


class Tail:
    """`book` is what is delivered; the tail reads on from there and changes nothing in it."""

    def __init__(
        self, hot: Path, book: Book, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._hot = hot
        self._book = book
        self._clock = clock
        self._seen: dict[str, _Sight] = {}
        self._counted: dict[str, tuple[int, int]] = {}

    def next(self, most: int, *, final: bool = False) -> Load | None:
        """Up to `most` records of the oldest segment that has some, or None.

        `final`: nobody writes any more, so whatever is there stays. Raises OSError.
        """
        for path in segments(self._hot):
            load = self._of(path, most, final=final)
            if load is not None:
                return load
        return None

    def _of(self, path: Path, most: int, *, final: bool) -> Load | None:
        place = self._book.segments.get(path.name) or Place()
        try:
            if path.stat().st_size <= place.offset:
                return None
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return None  # sealed empty, or compacted
        try:
            mark = self._mark(fd, path.name, final=final)
            old = final or time.time() - os.fstat(fd).st_mtime > LEFT_ALONE
            load = _loaded(path.name, place, most, _lines(fd, place.offset, mark, blank=old))
        finally:
            os.close(fd)
        return load if load.place.offset > place.offset else None

    def _mark(self, fd: int, name: str, *, final: bool) -> int:
        """Up to where everything is on disk and stays."""
        size, now = os.fstat(fd).st_size, self._clock()
        sight = self._seen.setdefault(name, _Sight(now, size))
        if now - sight.at >= STANDS:
            sight.stands, sight.size, sight.at = sight.size, size, now
        mark = size if final else min(sight.stands, size)
        if mark > 0:
            os.fdatasync(fd)  # the writer may still wait for the disk
        return mark

    def present(self) -> set[str]:
        return {path.name for path in segments(self._hot)}

    def behind(self, budget: int = COUNTED) -> int:
        """Records in segments that are not delivered, as far as they were counted by now.

        `budget`: octets looked through at most.
        """
        total = 0
        for path in segments(self._hot):
            place = self._book.segments.get(path.name) or Place()
            budget -= self._count(path, place, budget)
            total += max(0, self._counted.get(path.name, (0, 0))[1] - place.records)
        return total

    def _count(self, path: Path, place: Place, most: int) -> int:
        start, records = self._counted.get(path.name, (place.offset, place.records))
        if start < place.offset:
            start, records = place.offset, place.records
        begin = start
        with suppress(FileNotFoundError), path.open("rb") as stream:
            while start - begin < most:
                stream.seek(start)
                data = stream.read(MOST_OCTETS)
                whole = data[: data.rfind(b"\n") + 1]
                records += whole.startswith(_RECORD) + whole.count(b"\n" + _RECORD)
                if not whole and len(data) < MOST_OCTETS:
                    break
                start += len(whole) or len(data)  # no record is longer than that
        self._counted[path.name] = (start, records)
        return start - begin

    def forget(self, gone: Sequence[str]) -> None:
        for name in gone:
            self._seen.pop(name, None)
            self._counted.pop(name, None)


def _loaded(name: str, place: Place, most: int, lines: Iterator[tuple[bytes, int]]) -> Load:
    load = Load(name, place)
    for line, offset in lines:
        if len(load.parcels) >= most:
            break
        load.place.offset = offset
        load.place.lines += 1
        _take(load, line)
    return load


def _take(load: Load, line: bytes) -> None:
    record = read(line)
    if record is not None:
        load.place.records += 1
        load.parcels.append(Parcel(line, record, load.source, load.place.lines))
    elif line.strip() and not line.startswith(_NO_RECORD):
        load.damaged.append((load.place.lines, line))


def _lines(fd: int, start: int, mark: int, *, blank: bool) -> Iterator[tuple[bytes, int]]:
    """Whole lines and where each ends; blank ones at the very end only where they may stay."""
    octets = MOST_OCTETS
    data = os.pread(fd, min(octets, mark - start), start) if mark > start else b""
    while b"\n" not in data and len(data) < min(LONGEST, mark - start):
        octets *= 2
        data = os.pread(fd, min(octets, mark - start), start)
    if b"\n" not in data:
        if len(data) >= LONGEST:
            yield b"(a line of more than 16 MiB)", start + len(data)
        return
    *lines, rest = data.split(b"\n")
    while not blank and lines and not rest.strip() and not lines[-1].strip():
        lines.pop()
    for line in lines:
        start += len(line) + 1
        yield line, start


def first_after(path: Path, place: Place) -> str:
    """The time of the first record behind a place; empty where there is none. Raises OSError."""
    with suppress(FileNotFoundError), path.open("rb") as stream:  # compacted meanwhile
        stream.seek(place.offset)
        for line in stream:
            record = read(line)
            if record is not None:
                return record.timestamp
    return ""
