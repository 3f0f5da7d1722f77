"""Records of segments that were removed before a sink had them: they are in day files."""

from collections.abc import Iterator
from pathlib import Path

import duckdb
import msgspec
import structlog

from torhaus.audit.catalogue import Catalogue, DayFile
from torhaus.audit.cells import restored
from torhaus.audit.holdings import holders
from torhaus.audit.views import with_later
from torhaus.model.evidence import Sealed
from torhaus.model.shipping import Parcel
from torhaus.store.audit.extract import COLUMNS, connected, quoted
from torhaus.store.audit.journal import JournalReader
from torhaus.store.audit.sinks.positions import Book, Place, shelf
from torhaus.store.audit.sinks.tail import Load

log = structlog.get_logger()

LOCAL = "local"
DONE = -1


class Missed:
    """A sink that was behind for longer than segments wait gets the rest from day files.

    It gets whole segments then, and of a file that was made of several what is of the same time:
    some records come again. `book` is read, and changed only
    where a segment that is gone is done with.
    """

    def __init__(self, audit: Path, name: str, book: Book) -> None:
        self._audit = audit
        self._name = name
        self._book = book
        self._reader = JournalReader(audit)

    def next(self, present: set[str], most: int) -> Load | None:
        """Up to `most` records of the oldest segment that went away, or None. Raises OSError.

        `present`: segments that are there.
        """
        gone = sorted(self._book.segments.keys() - present)
        if not gone:
            return None
        known = self._reader.now()
        for name in gone:
            load = self._of(name, known, most)
            if load is not None:
                return load
            self._forget(name)
        return None

    def _of(self, name: str, known: Catalogue, most: int) -> Load | None:
        sealed = known.compacted.get(name)
        if sealed is None or self._book.segments[name].offset >= sealed.octets:
            return None  # delivered
        files = holders(known, name)
        if not files:
            log.error("audit.sink_missed", sink=self._name, segment=name)
        for file in sorted(files, key=lambda each: each.written.file):
            key = f"{name} {file.written.file}"
            start = self._book.days.get(key, 0)
            if start != DONE:
                load = self._part(key, file, sealed, start, most)
                if load is not None:
                    return load
                self._book.days[key] = DONE
        return None

    def _part(self, key: str, file: DayFile, sealed: Sealed, start: int, most: int) -> Load | None:
        path = self._audit / file.tier / file.written.file
        if file.place != LOCAL or not path.is_file():
            log.error("audit.sink_missed", sink=self._name, segment=sealed.segment)
            return None
        if not start:
            log.warning("audit.sink_from_day_file", sink=self._name, segment=sealed.segment)
        load = Load(file.written.file, Place(), day=key)
        try:
            for number, row in self._rows(path, sealed, start, most):
                record = restored(row)
                line = msgspec.json.encode(record)
                load.parcels.append(Parcel(line, record, load.source, number + 1))
                load.place.lines = number + 1
        except duckdb.Error as error:
            log.error("audit.sink_missed", sink=self._name, segment=sealed.segment)
            raise OSError(0, "the day file cannot be read", str(path)) from error
        return load if load.parcels else None

    def _rows(
        self, path: Path, sealed: Sealed, start: int, most: int
    ) -> Iterator[tuple[int, tuple[object, ...]]]:
        rows = f"read_parquet({quoted(path)}, file_row_number = true, hive_partitioning = false)"
        query = (
            f"SELECT file_row_number, {COLUMNS} "  # noqa: S608 -- our own words, a quoted path
            f"FROM {with_later(rows)} "
            'WHERE file_row_number >= ? AND "timestamp" BETWEEN ?::TIMESTAMPTZ AND ?::TIMESTAMPTZ '
            "ORDER BY file_row_number LIMIT ?"
        )
        with connected(shelf(self._audit)) as base:
            values = [start, sealed.first, sealed.last, most]
            for number, *row in base.execute(query, values).fetchall():
                yield number, tuple(row)

    def _forget(self, name: str) -> None:
        del self._book.segments[name]
        for key in [each for each in self._book.days if each.startswith(f"{name} ")]:
            del self._book.days[key]
