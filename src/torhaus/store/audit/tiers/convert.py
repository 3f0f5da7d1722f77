"""Makes day files (Parquet) of segments, and proves that they hold the same records.

Run as a program of its own, so that neither its memory nor its work weighs on the gateway:
an `Order` comes on standard input, a `Made` goes to standard output.
"""

import os
import sys
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import IO

import duckdb
import msgspec

from torhaus.audit.retention import day_of
from torhaus.store.audit.tiers.order import Draft, Made, Order, Part, Source
from torhaus.store.audit.tiers.parquet import Base, ends, from_files, from_lines, opened, rows
from torhaus.store.audit.tiers.rows import Sum, from_line, summed
from torhaus.store.audit.tiers.shelves import digest

NICE = 10
"""How far calls go before this work."""

_RECORD = b'{"timestamp":'
_OWN = (b'{"segment":', b'{"checkpoint":')


@dataclass(slots=True)
class Day:
    """What is gathered of one day. `rows`: for DuckDB."""

    path: Path
    stream: IO[bytes]
    sum: Sum = field(default_factory=Sum)
    first: str = ""
    last: str = ""
    segments: dict[str, int] = field(default_factory=dict)

    def add(self, segment: str, time: str, row: bytes) -> None:
        self.stream.write(row + b"\n")
        self.sum.add(row)
        self.first = min(self.first or time, time)
        self.last = max(self.last, time)
        self.segments[segment] = self.segments.get(segment, 0) + 1


def carry_out(order: Order) -> Made:
    """Raises OSError, duckdb.Error, ValueError: then nothing may be used of the folder."""
    folder = Path(order.folder)
    if order.merge:
        return _merged(order, folder)
    good, refused = _proved(order.segments)
    days: dict[str, Day] = {}
    try:
        for source in good:
            _gather(source, days, folder)
    finally:
        for each in days.values():
            each.stream.close()
    with opened(folder, order.memory) as base:
        drafts = tuple(_written(base, folder, day, each) for day, each in days.items())
    return Made(drafts=drafts, refused=refused)


def _proved(sources: tuple[Source, ...]) -> tuple[list[Source], dict[str, str]]:
    """Those that are what the journal says, with records only; why the others are not."""
    good, refused = [], {}
    for source in sources:
        try:
            _prove(source)
            good.append(source)
        except (OSError, ValueError) as error:
            refused[source.name] = str(error)
    return good, refused


def _prove(source: Source) -> None:
    found, size, records = sha256(), 0, 0
    with Path(source.path).open("rb") as stream:
        for line in stream:
            found.update(line)
            size += len(line)
            if line.startswith(_RECORD):
                from_line(line)
                records += 1
            elif not line.startswith(_OWN):
                raise ValueError("a line is no record, head or checkpoint")
    if size != source.octets or found.hexdigest() != source.sha256:
        raise ValueError("it is not what it was when it was sealed")
    if records != source.records:
        raise ValueError(f"it holds {records} records and not {source.records}")


def _gather(source: Source, days: dict[str, Day], folder: Path) -> None:
    with Path(source.path).open("rb") as stream:
        for line in stream:
            if not line.startswith(_RECORD):
                continue
            time, row = from_line(line)
            day = day_of(time)
            if day in source.without:
                continue
            if day not in days:
                path = folder / f"{len(days)}.jsonl"
                days[day] = Day(path, path.open("xb"))
            days[day].add(source.name, time, row)


def _written(base: Base, folder: Path, day: str, each: Day) -> Draft:
    path = folder / f"{each.path.stem}.parquet"
    from_lines(base, each.path, path)
    if not summed(rows(base, [path])).equals(each.sum):
        raise ValueError(f"the day file of {day} does not hold what its segments do")
    each.path.unlink()
    return _draft(path, day, each.sum.rows, (each.first, each.last), each.segments)


def _draft(
    path: Path, day: str, records: int, times: tuple[str, str], segments: dict[str, int]
) -> Draft:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
    return Draft(
        path=str(path),
        day=day,
        records=records,
        octets=path.stat().st_size,
        sha256=digest(path),
        first=times[0],
        last=times[1],
        segments=segments,
    )


def _merged(order: Order, folder: Path) -> Made:
    """One file of several, which are first held against the journal."""
    refused = {each.name: "it is not what the journal says" for each in order.merge if _bad(each)}
    if refused:
        return Made(refused=refused)
    paths, path = [Path(each.path) for each in order.merge], folder / "0.parquet"
    with opened(folder, order.memory) as base:
        from_files(base, paths, path)
        before, after = summed(rows(base, paths)), summed(rows(base, [path]))
        if not before.equals(after) or before.rows != sum(e.records for e in order.merge):
            raise ValueError("the merged day file does not hold what its parts do")
        first_last = ends(base, path)
    return Made(drafts=(_draft(path, day_of(first_last[0]), after.rows, first_last, {}),))


def _bad(part: Part) -> bool:
    path = Path(part.path)
    return path.stat().st_size != part.octets or digest(path) != part.sha256


def main() -> None:
    os.nice(NICE)
    os.umask(0o077)  # DuckDB makes files that whoever may see them can read
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        made = carry_out(order)
    except (OSError, ValueError, duckdb.Error) as error:
        sys.stderr.write(f"{type(error).__name__}: {error}"[:2000])
        sys.exit(1)
    sys.stdout.buffer.write(msgspec.json.encode(made))


if __name__ == "__main__":
    main()
