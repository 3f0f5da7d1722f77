"""An audit log on disk, with a journal, made of records that a test can count by hand."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import duckdb
import msgspec

from tests.torhaus.store.audit.ledgers import record
from torhaus.audit.columns import RECORD
from torhaus.audit.views import day_columns
from torhaus.model.evidence import Begun, Moved, Sealed, Written
from torhaus.model.keeping import Bucket, Tier
from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser
from torhaus.store.audit.fetched import Fetched
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.keys import audit_key
from torhaus.store.audit.lines import add_line
from torhaus.store.audit.tiers.bucket import BucketShelf
from torhaus.store.audit.tiers.depot import Depot, shelves
from torhaus.store.audit.tiers.errand import Errand
from torhaus.store.query.copies import copying
from torhaus.store.query.files import AuditFiles

NOW = datetime.now(UTC).replace(microsecond=0)


def when(days: float) -> str:
    """The time so many days ago, as records have it."""
    return f"{NOW - timedelta(days=days):%Y-%m-%dT%H:%M:%S}.000Z"


def call(id: str, days: float, **changes: Any) -> Record:
    """A call of Alice's to github.list_issues, so many days ago."""
    shorts = {"email": "alice@example.org", "repo": "myorg/web", "items": 12, "cached": False}
    given = {**shorts, **{key: changes.pop(key) for key in list(changes) if key in shorts}}
    made = record(
        id,
        timestamp=when(days),
        user=RecordUser(str(given["email"]), "developer", "10.0.0.1"),
        parameters=msgspec.Raw(msgspec.json.encode({"repo": given["repo"]})),
        result=RecordResult("success", given["items"], bool(given["cached"]), 5.0),
    )
    return msgspec.structs.replace(made, **changes)


def denied(id: str, days: float, reason: str = "no rule allows it", **changes: Any) -> Record:
    made = call(id, days, **changes)
    return msgspec.structs.replace(
        made,
        result=RecordResult("denied", None, False, 1),
        access_control=RecordAccess("default deny", False, reason),
    )


def lines(records: Sequence[Record]) -> bytes:
    found = bytearray()
    for each in records:
        add_line(found, each)
    return bytes(found)


@dataclass(slots=True)
class AuditLog:
    """In `directory`/audit."""

    directory: Path
    journal: Journal = field(init=False)
    bucket: Bucket | None = None
    _count: int = 0

    def __post_init__(self) -> None:
        self.audit = self.directory / "audit"
        self.hot.mkdir(parents=True)
        self.journal = Journal(self.audit, audit_key(self.directory, os.urandom), node="n1")

    audit: Path = field(init=False)

    @property
    def hot(self) -> Path:
        return self.audit / "hot"

    def live(self, *records: Record, torn: bytes = b"") -> Path:
        """A segment that is being written: with a head, a checkpoint, and maybe half a line."""
        self._count += 1
        path = self.hot / f"seg-20260101T000000{self._count:06}Z-1-aa.jsonl"
        head = b'{"segment":{"name":"%s","node":"n1","began":"x"}}\n' % path.name.encode()
        mark = b'{"checkpoint":{"at":"x","records":1,"chain":"x","crc":"AAAA"}}\n'
        path.write_bytes(head + lines(records) + mark + torn)
        self.journal.append(Begun(segment=path.name))
        return path

    def sealed(self, *records: Record) -> Path:
        path = self.live(*records)
        times = sorted(each.timestamp for each in records)
        content = path.read_bytes()
        self.journal.append(
            Sealed(
                segment=path.name,
                records=len(records),
                octets=len(content),
                chain="",
                sha256=sha256(content).hexdigest(),
                first=times[0],
                last=times[-1],
            )
        )
        return path

    def filed(self, *records: Record, segment: Path | None = None, tier: str = "hot") -> Path:
        """A day file of these records, all of one day. `segment`: where they came from."""
        self._count += 1
        day = records[0].timestamp[:10]
        name = f"day={day}/n1-{self._count:010}.parquet"
        path = self.audit / tier / name
        write_day(path, lines(records))
        content = path.read_bytes()
        times = sorted(each.timestamp for each in records)
        written = Written(
            file=name,
            day=day,
            records=len(records),
            octets=len(content),
            sha256=sha256(content).hexdigest(),
            first=times[0],
            last=times[-1],
            segments={} if segment is None else {segment.name: len(records)},
        )
        self.journal.append(written)
        if tier != "hot":
            self._move(path, name, tier, written)
        return path

    def _move(self, path: Path, name: str, tier: str, written: Written) -> None:
        """To the bucket, where there is one, if it is warm."""
        place = "local"
        if self.bucket is not None and tier == "warm":
            place = self.bucket.place
            BucketShelf(self.bucket, Tier.WARM).put(path, written)
            path.unlink()
        self.journal.append(Moved(file=name, tier=tier, place=place))

    def files(self) -> AuditFiles:
        """As a gateway finds them."""
        if self.bucket is None:
            return AuditFiles(self.audit)
        reader, places = JournalReader(self.audit), shelves(self.audit, self.bucket)
        depot = Depot(
            audit=self.audit, journal=self.journal, reader=reader, shelves=places, convert=Errand()
        )
        return AuditFiles(self.audit, copying(Fetched(depot)))


def write_day(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    source = path.with_suffix(".jsonl")
    source.write_bytes(content)
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        base.execute(
            f"COPY (SELECT {day_columns()} FROM read_json('{source}', "
            f"format = 'newline_delimited', columns = {RECORD})) TO '{path}' (FORMAT parquet)"
        )
    source.unlink()
