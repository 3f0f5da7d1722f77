"""A log from before records had a credential: verified, asked and taken out, with newer ones.

`before_credentials` was written by the last version without the column: a day file of eight
records, and a sealed segment of four of the next day.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import record
from tests.torhaus.store.audit.logs import checked, told
from tests.torhaus.store.audit.tiers.stock import DAY, NEXT, depot
from torhaus.audit.cells import HEADER, cells
from torhaus.audit.entries import read
from torhaus.audit.line import read as read_record
from torhaus.audit.part import EVERYTHING, Part
from torhaus.audit.saved import SHIPPED
from torhaus.model.asking import Question, Table
from torhaus.model.record import Record
from torhaus.store.audit.extract import Files, extracted
from torhaus.store.audit.journal import NAME
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.newest import newest
from torhaus.store.audit.sinks.missed import Missed
from torhaus.store.audit.sinks.positions import Book, Place
from torhaus.store.audit.tiers.compacting import compact, merge
from torhaus.store.audit.writer import LedgerSettings
from torhaus.store.query.files import AuditFiles
from torhaus.store.query.sandbox import SandboxRecords

OLD = Path(__file__).parent / "before_credentials"
KEY = "key:adm_0123456789abcdef0123"
OLDER = [*(f"req_old{n:02}" for n in range(8)), *(f"req_old{n:02}" for n in range(10, 14))]


@pytest.fixture
def aged(tmp_path: Path) -> Path:
    """The same files in a data directory that goes on: its journal has a key of its own."""
    data = tmp_path / "data"
    book = journal(data)
    shutil.copytree(OLD / "audit" / "hot", data / "audit" / "hot", dirs_exist_ok=True)
    for line in (OLD / "audit" / NAME).read_bytes().splitlines(keepends=True):
        book.append(read(line).event)
    return data


def newer(data: Path, *credentials: str, day: int = 21) -> None:
    """Records with a credential each, by this version."""

    async def story() -> None:
        ledger = SegmentLedger(data / "audit" / "hot", journal(data), LedgerSettings())
        ledger.start()
        for number, each in enumerate(credentials):
            at = f"2025-10-{day}T10:00:{number:02}.000Z"
            kept = ledger.note(record(f"req_new{number}", timestamp=at, credential=each))
            assert kept is not None
            await kept
        assert await ledger.close()

    asyncio.run(story())


def rows(data: Path, sql: str) -> list[tuple[Any, ...]]:
    records = SandboxRecords(AuditFiles(data / "audit").find)
    found = asyncio.run(records.ask(Question(sql=sql)))
    assert isinstance(found, Table), found.why
    return [tuple(each) for each in found.rows]


def taken(data: Path, part: Part = EVERYTHING) -> list[Record]:
    found = AuditFiles(data / "audit").find("", "")
    files = Files(segments=found.segments, days=[Path(each) for each in found.days])
    with extracted(lambda: files, part.takes, data) as taken_out:
        return list(taken_out.records())


def test_it_is_proved_as_it_was() -> None:
    report = checked(OLD)

    assert told(report) == []
    assert (report.records, report.days, report.sealed) == (4, 1, 1)


def test_it_is_proved_together_with_newer_records(aged: Path) -> None:
    newer(aged, KEY, "")

    report = checked(aged)

    assert told(report) == []
    assert report.records == 6


@pytest.mark.parametrize("mixed", [False, True])
def test_it_is_asked_as_before(mixed: bool, aged: Path) -> None:
    if mixed:
        newer(aged, KEY, "")
    every = "SELECT request_id FROM audit_logs WHERE request_id LIKE 'req_old%' ORDER BY ALL"
    denied = "SELECT user, reason FROM audit_logs WHERE NOT access_control.allowed"
    nobody = "SELECT count(*) FROM audit_logs WHERE credential IS NULL"

    assert [id for (id,) in rows(aged, every)] == OLDER
    assert rows(aged, denied) == [("bob@example.org", "no rule allows it")]
    assert rows(aged, nobody) == [(12 + mixed,)]
    assert rows(aged, every.replace("audit_logs", "audit_records")) == [(id,) for id in OLDER]


def test_both_views_have_the_same_columns_whatever_the_files_have(aged: Path) -> None:
    described = [
        rows(aged, f"SELECT column_name, column_type FROM (DESCRIBE {view})")
        for view in ("audit_logs", "audit_records")
    ]
    for each in sorted((aged / "audit" / "hot").glob("seg-*.jsonl")):
        each.write_bytes(b"")

    assert [("credential", "VARCHAR") in each for each in described] == [True, True]
    assert described == [
        rows(aged, f"SELECT column_name, column_type FROM (DESCRIBE {view})")
        for view in ("audit_logs", "audit_records")
    ]


def test_what_was_done_with_a_key_is_found_in_segments_and_in_day_files(aged: Path) -> None:
    newer(aged, KEY, "session:adm_1", KEY)
    ask = f"SELECT request_id FROM audit_logs WHERE credential = '{KEY}' ORDER BY ALL"
    live = rows(aged, ask)

    compact(depot(aged))

    assert live == [("req_new0",), ("req_new2",)]
    assert rows(aged, ask) == live
    assert [each.request_id for each in taken(aged, Part(credential=KEY))] == [
        "req_new0",
        "req_new2",
    ]
    assert told(checked(aged)) == []


def test_the_question_for_credentials_leaves_out_what_has_none(aged: Path) -> None:
    newer(aged, KEY, "", KEY)
    sql = SHIPPED["credentials"].sql.replace("NOW()", "TIMESTAMPTZ '2025-10-22'")

    found = rows(aged, sql)

    assert [each[:4] for each in found] == [(KEY, "alice@example.org", 2, 1)]


def test_a_day_file_of_both_kinds_has_all_their_records(aged: Path) -> None:
    newer(aged, KEY, day=20)
    here = depot(aged)
    compact(here)

    assert merge(here, now=NEXT + DAY)

    assert sorted(rows(aged, "SELECT request_id, credential FROM audit_logs")) == sorted(
        [("req_new0", KEY), *((id, None) for id in OLDER)]
    )
    assert told(checked(aged)) == []


def test_older_records_are_taken_out_as_they_were(aged: Path) -> None:
    before = duckdb.sql(
        f"SELECT request_id, to_json(\"user\") FROM '{OLD}/audit/hot/*/*.parquet' ORDER BY ALL"
    ).fetchall()
    newer(aged, KEY)

    found = taken(aged)

    old = [each for each in found if each.request_id in OLDER[:8]]
    assert [(each.request_id, msgspec.json.encode(each.user).decode()) for each in old] == before
    assert [b'"credential"' in msgspec.json.encode(each) for each in found] == [*[False] * 12, True]
    column = HEADER.index("credential")
    assert [cells(each)[column] for each in found] == [*[""] * 12, KEY]


def test_the_newest_with_a_key_are_found_behind_many_without(aged: Path) -> None:
    newer(aged, KEY, *[""] * 20)
    compact(depot(aged))
    anything: Callable[[bytes], bool] = lambda _line: True  # noqa: E731 -- a name says what it is

    found = newest(aged / "audit", 1, anything, (KEY,))

    assert [each.request_id for line in found if (each := read_record(line))] == ["req_new0"]
    assert len(newest(aged / "audit", 40, anything)) == 33


def test_a_sink_that_was_behind_gets_them(aged: Path) -> None:
    (segment,) = (
        each.event.segment
        for line in (OLD / "audit" / NAME).read_bytes().splitlines(keepends=True)
        if (each := read(line)).number == 2
    )

    load = Missed(aged / "audit", "siem", Book(segments={segment: Place()})).next(set(), 100)

    assert load is not None
    assert [each.record.request_id for each in load.parcels] == OLDER[:8]
    assert {each.record.credential for each in load.parcels} == {""}
