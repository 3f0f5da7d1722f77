"""Data directories with sealed segments, and what is in them afterwards."""

from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from tests.torhaus.store.audit.journals import journal
from torhaus.audit.holdings import holdings
from torhaus.audit.shape import timestamp
from torhaus.model.evidence import Sealed
from torhaus.model.keeping import Bucket, Tier
from torhaus.model.record import Record, RecordAccess, RecordCall, RecordResult, RecordUser
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.journal import JournalReader
from torhaus.store.audit.lines import add_line
from torhaus.store.audit.tiers.convert import carry_out
from torhaus.store.audit.tiers.depot import Depot, shelves

MORNING = datetime(2025, 10, 20, 9, tzinfo=UTC).timestamp()
EVENING = datetime(2025, 10, 20, 23, 59, 50, tzinfo=UTC).timestamp()
NEXT = datetime(2025, 10, 21, 12, tzinfo=UTC).timestamp()
DAY = 86400.0


def record(at: float, number: int = 0, **changes: Any) -> Record:
    made = Record(
        timestamp(at),
        f"req_{sha256(b'%d' % number).hexdigest()[:12]}{number:x}",
        RecordUser(f"person{number % 40}@example.org", "developer", f"10.0.0.{number % 200}"),
        ("github", "sentry", "jira")[number % 3],
        ("list_issues", "get_file_contents", "search_code", "create_issue")[number % 4],
        msgspec.Raw(b'{"owner":"myorg","repo":"repo%d","page":%d}' % (number % 25, number % 7)),
        RecordResult("success", number % 90, number % 4 == 0, 3 + (number * 7919 % 90000) / 100),
        RecordAccess("role developer", True, "developer may read"),
        RecordCall(client="claude-code", protocol="2025-11-25", sent=40, received=number % 5000),
    )
    return msgspec.structs.replace(made, **changes)


def lines(records: Iterable[Record]) -> bytes:
    made = bytearray()
    for each in records:
        add_line(made, each)
    return bytes(made)


def seal(data: Path, name: str, records: list[Record], **changes: Any) -> Path:
    """A segment on the disk, and its line in the journal."""
    name = f"seg-{name}.jsonl"
    text = b'{"segment":{"name":"%s","node":"gate-1","began":"x","version":1}}\n' % name.encode()
    text += lines(records) + b'{"checkpoint":{"at":"x","records":1,"chain":"c","crc":""}}\n'
    path = data / "audit" / "hot" / name
    prepare(path.parent)
    path.write_bytes(text)
    times = sorted(each.timestamp for each in records)
    facts: dict[str, Any] = {
        "segment": name,
        "records": len(records),
        "octets": len(text),
        "chain": "c" * 64,
        "sha256": sha256(text).hexdigest(),
        "first": times[0],
        "last": times[-1],
        **changes,
    }
    journal(data).append(Sealed(**facts))
    return path


def depot(data: Path, bucket: Bucket | None = None) -> Depot:
    audit = data / "audit"
    return Depot(
        audit=audit,
        journal=journal(data),
        reader=JournalReader(audit),
        shelves=shelves(audit, bucket),
        convert=carry_out,
    )


def ids(paths: Iterable[Path]) -> list[str]:
    """The request ids in day files, in order."""
    with duckdb.connect() as base:
        found = base.execute(
            "SELECT request_id FROM read_parquet(?, hive_partitioning = false)",
            [[*map(str, paths)]],
        ).fetchall()
    return [each for (each,) in found]


def counted(found: Depot) -> Counter[str]:
    """Every record that the catalogue leads to, as often as it does: as a query would count."""
    held = holdings(found.catalogue())
    paths = [found.local(each.tier).path(each.written.file) for each in held.files]
    total = Counter(ids(paths)) if paths else Counter()
    for segment in held.segments:
        for row in _records(found.segments / segment.name):
            if row.timestamp[:10] not in segment.without:
                total[row.request_id] += 1
    return total


def _records(path: Path) -> Iterator[Record]:
    for line in path.read_bytes().splitlines():
        if line.startswith(b'{"timestamp"'):
            yield msgspec.json.decode(line, type=Record)


@contextmanager
def nothing_else(directory: Path) -> Iterator[None]:
    """What is done inside leaves the directory as it was."""
    before = contents(directory)
    yield
    assert contents(directory) == before


def contents(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


TIERS = (Tier.HOT, Tier.WARM, Tier.COLD)
