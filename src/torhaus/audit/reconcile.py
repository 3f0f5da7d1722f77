"""Whether what the journal says of the files adds up: no record lost or counted twice. Pure."""

import re
from collections.abc import Iterable, Iterator

from torhaus.audit.catalogue import Catalogue
from torhaus.audit.locate import Fault
from torhaus.model.evidence import JournalEntry, Sealed, Written

SEGMENT = re.compile(r"seg-[A-Za-z0-9-]{1,100}\.jsonl")
DAY_FILE = re.compile(
    r"day=[0-9]{4}-[0-9]{2}-[0-9]{2}/[A-Za-z0-9][A-Za-z0-9_-]{0,63}-\d{10}\.parquet"
)


def contradictions(entries: Iterable[JournalEntry]) -> Iterator[Fault]:
    """Faults of the journal, by number of line."""
    sealed: set[str] = set()
    files: dict[str, Written] = {}
    for entry in entries:
        event = entry.event
        if isinstance(event, Sealed):
            if event.segment in sealed:
                yield Fault(entry.number, f"says that {event.segment} was sealed once more")
            sealed.add(event.segment)
        elif isinstance(event, Written):
            if event.file in files:
                yield Fault(entry.number, f"says that {event.file} was written once more")
            yield from _sum(entry.number, event, files)
            files[event.file] = event


def _sum(number: int, event: Written, files: dict[str, Written]) -> Iterator[Fault]:
    unknown = [name for name in event.replaces if name not in files]
    if unknown:
        yield Fault(number, f"replaces {unknown[0]}, which was never written")
        return
    taken = sum(files[name].records for name in event.replaces)
    expected = taken + sum(event.segments.values())
    if event.records != expected:
        what = f"gives {event.file} {event.records} records, and its sources {expected}"
        yield Fault(number, what)


def excess(found: Catalogue) -> Iterator[tuple[str, str]]:
    """Segments with more records in day files than they have, and what to say of them."""
    for name, sealed in {**found.compacted, **found.sealed}.items():
        filed = found.filed.get(name, 0)
        if filed > sealed.records:
            yield name, f"it has {sealed.records} records, and day files took {filed} from it"
    for name, filed in found.filed.items():
        if name not in found.compacted and name not in found.sealed:
            yield name, f"day files took {filed} records from it, and it was never sealed"


def older(found: Catalogue, last: str) -> bool:
    """Whether records up to this time can be from before there was a journal."""
    return not found.since or last <= found.since


def listed(found: Catalogue, name: str) -> bool:
    """Whether the journal knows a day file, be it one that is no more."""
    return name in found.files or name in found.replaced or name in found.deleted


def unfinished(found: Catalogue, name: str) -> bool:
    """Whether this is the next file of its node and day, for which no line was written yet."""
    before, _, number = name.removesuffix(".parquet").rpartition("-")
    taken = [
        int(each.removesuffix(".parquet").rpartition("-")[2])
        for kept in (found.files, found.replaced, found.deleted)
        for each in kept
        if DAY_FILE.fullmatch(each) and each.rpartition("-")[0] == before
    ]
    return int(number) == max(taken, default=0) + 1
