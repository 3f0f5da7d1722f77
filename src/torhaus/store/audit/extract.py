"""Takes records out of the audit log's files, in the order of their times."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import duckdb
import msgspec

from torhaus.audit.cells import restored
from torhaus.audit.columns import RECORD
from torhaus.audit.holdings import Segment
from torhaus.audit.line import read
from torhaus.audit.views import with_later
from torhaus.model.record import Record
from torhaus.store.audit.pseudonyms import told
from torhaus.store.audit.sorting import Sorting

NOBODY: Mapping[str, str] = {}
_ROWS = 2_000
"""Fetched at once."""

_TRIES = 3
"""Segments become day files while somebody reads: then the list is out of date."""

COLUMNS = ", ".join(
    [
        "strftime(\"timestamp\", '%Y-%m-%dT%H:%M:%S.%gZ')",
        *(f'"{name}"' for name in RECORD if name != "timestamp"),
    ]
)
"""Those of a day file as `restored` takes them."""


class Files(msgspec.Struct, frozen=True, kw_only=True):
    """Where records are: in segments of JSON lines and in day files. No record is in two.

    `skipped`: what is left out and why, as sentences.
    """

    segments: Sequence[Segment] = ()
    days: Sequence[Path] = ()
    skipped: Sequence[str] = ()


class ExtractError(Exception):
    """The records cannot be read. The text is a sentence for people."""


class Extract:
    """What was found. `damaged`: lines of segments that are none of a segment's.

    `left_out`: whole files and days that are not in it, as sentences.
    """

    def __init__(self, sorting: Sorting, spill: Path, people: Mapping[str, str]) -> None:
        self._people = people
        self._sorting = sorting
        self._spill = spill
        self.damaged = 0
        self.count = 0
        self.left_out: list[str] = []

    def gather(self, files: Files, takes: Callable[[Record], bool], *, last: bool) -> None:
        """Read everything. Raises ExtractError.

        A file that is not there is FileNotFoundError, and for the `last` time left out.
        """
        self.left_out += files.skipped
        for segment in files.segments:
            with self._missing(segment.name, last=last):
                self._segment(segment, takes)
        for path in files.days:
            with self._missing(str(path), last=last):
                self._day(path, takes)

    @contextmanager
    def _missing(self, name: str, *, last: bool) -> Iterator[None]:
        try:
            yield
        except FileNotFoundError:
            if not last:
                raise
            self.left_out.append(f"{name} is missing: see torhaus audit verify")

    def lines(self) -> Iterator[bytes]:
        """Records as JSON without line breaks: from segments byte for byte as they stand there."""
        return self._sorting.lines()

    def records(self) -> Iterator[Record]:
        for line in self.lines():
            record = read(line)
            if record is not None:  # each of them was read before
                yield record

    @contextmanager
    def parquet(self) -> Iterator[BinaryIO]:
        """A Parquet file with the columns of `RECORD`, to be read. Raises ExtractError, OSError."""
        source, made = self._spill / "sorted.jsonl", self._spill / "made.parquet"
        with source.open("xb") as stream:
            stream.writelines(line + b"\n" for line in self.lines())
        columns = ", ".join(f"'{name}': '{type_}'" for name, type_ in RECORD.items())
        reading = f"{quoted(source)}, format='newline_delimited', columns={{{columns}}}"
        options = "FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 100000"
        with connected(self._spill) as database, _sentences():
            query = f"SELECT * FROM read_json({reading})"  # noqa: S608 -- our own words, quoted paths
            database.execute(f"COPY ({query}) TO {quoted(made)} ({options})")
        source.unlink()
        with made.open("rb") as whole:
            yield whole

    def _segment(self, segment: Segment, takes: Callable[[Record], bool]) -> None:
        with Path(segment.name).open("rb") as stream:
            for line in stream:
                if not line.endswith(b"\n"):
                    return  # still being written
                record = read(line)
                if record is not None and record.timestamp[:10] in segment.without:
                    continue  # it is in a day file
                if record is not None:
                    self._add(record, line[:-1], takes)
                elif line.strip() and not line.startswith((b'{"segment":', b'{"checkpoint":')):
                    self.damaged += 1

    def _day(self, path: Path, takes: Callable[[Record], bool]) -> None:
        path.stat()  # DuckDB's error for a missing file is as any other
        with connected(self._spill) as database, _sentences():
            query = f"SELECT {COLUMNS} FROM {with_later(f'read_parquet({quoted(path)})')}"  # noqa: S608 -- as above
            found = database.execute(query)
            while rows := found.fetchmany(_ROWS):
                for row in rows:
                    record = restored(row)
                    self._add(record, msgspec.json.encode(record), takes)

    def _add(self, record: Record, line: bytes, takes: Callable[[Record], bool]) -> None:
        named = told(line, self._people)
        if named is not line:
            line, record = named, read(named) or record
        if takes(record):
            self.count += 1
            self._sorting.add(f"{record.timestamp} {record.request_id} {record.phase}", line)


@contextmanager
def extracted(
    files: Callable[[], Files],
    takes: Callable[[Record], bool],
    spill: Path,
    people: Mapping[str, str] = NOBODY,
) -> Iterator[Extract]:
    """Everything that `takes` wants, gathered. Nothing more is read from the log afterwards.

    `people`: pseudonyms that are told as whom they mean.

    `files`: lists them, more than once where some went away meanwhile. `spill`: a directory for
    what does not fit into memory. Raises OSError, ExtractError.
    """
    for left in reversed(range(_TRIES)):
        with tempfile.TemporaryDirectory(prefix=".extract-", dir=spill) as directory:
            extract = Extract(Sorting(Path(directory)), Path(directory), people)
            try:
                extract.gather(files(), takes, last=not left)
            except FileNotFoundError:
                continue
            yield extract
            return


@contextmanager
def connected(spill: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory that reads and writes files, and loads nothing from elsewhere."""
    database = duckdb.connect(
        config={
            "memory_limit": "512MB",
            "temp_directory": str(spill),
            "threads": 2,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
            "python_enable_replacements": False,
        }
    )
    try:
        database.execute("SET TimeZone = 'UTC'")
        yield database
    finally:
        database.close()


def quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


@contextmanager
def _sentences() -> Iterator[None]:
    try:
        yield
    except duckdb.Error as error:
        first = str(error).partition("\n")[0]
        raise ExtractError(f"the audit log cannot be read: {first}") from error
