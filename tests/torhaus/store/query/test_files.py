"""Which files a question gets, while they are sealed, compacted, merged, moved and deleted."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.torhaus.store.query.log import AuditLog, call, lines, when
from tests.torhaus.store.query.questions import ask, rows
from torhaus.audit.catalogue import DayFile
from torhaus.model.asking import Question, Skipped, Table
from torhaus.model.evidence import Moved
from torhaus.store.query.files import AuditFiles, Fetched, Found
from torhaus.store.query.sandbox import SandboxRecords

COUNT = "SELECT count(*) FROM audit_logs"


@pytest.fixture
def log(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path)


def test_a_record_is_counted_once_at_every_step_of_a_compaction(log: AuditLog) -> None:
    """The segment spans two days, and the day files are named one after the other."""
    older, newer = call("r1", 6), call("r2", 5)
    segment = log.sealed(older, newer)
    assert rows(log, COUNT) == [(2,)]

    log.filed(older, segment=segment)
    assert rows(log, COUNT) == [(2,)]
    log.filed(newer, segment=segment)
    assert rows(log, COUNT) == [(2,)]
    segment.unlink()
    assert rows(log, COUNT) == [(2,)]


def test_a_file_that_goes_between_the_list_and_the_question_is_looked_for_again(
    log: AuditLog,
) -> None:
    record = call("r1", 5)
    segment = log.sealed(record)

    class Moving(AuditFiles):
        """A compaction comes exactly between the list and the process that opens the files."""

        def find(self, first_day: str, last_day: str) -> Found:
            found = super().find(first_day, last_day)
            if segment.exists():
                log.filed(record, segment=segment)
                segment.unlink()
            return found

    found = asyncio.run(SandboxRecords(Moving(log.audit).find).ask(Question(sql=COUNT)))

    assert isinstance(found, Table)
    assert found.rows == ((1,),)


def test_a_file_that_lies_about_is_not_read(log: AuditLog) -> None:
    log.live(call("r1", 0))
    (log.hot / "seg-20260101T000000000000Z-1-zz.jsonl").write_bytes(lines([call("forged", 0)]))

    assert rows(log, COUNT) == [(1,)]


def test_without_a_journal_every_segment_is_read(tmp_path: Path) -> None:
    hot = tmp_path / "audit" / "hot"
    hot.mkdir(parents=True)
    (hot / "seg-20260101T000000000000Z-1-aa.jsonl").write_bytes(lines([call("r1", 0)]))

    found = AuditFiles(tmp_path / "audit").find("", "")

    assert [Path(each.name).name for each in found.segments] == [
        "seg-20260101T000000000000Z-1-aa.jsonl"
    ]


def test_archived_days_are_left_out_and_said(log: AuditLog) -> None:
    log.filed(call("r1", 5))
    log.filed(call("r2", 400), tier="archive")

    found = ask(log, COUNT)

    assert isinstance(found, Table)
    assert found.rows == ((1,),)
    assert [each.text for each in found.skipped] == ["1 day skipped: archived"]


def moved_away(log: AuditLog) -> str:
    path = log.filed(call("r1", 40))
    name = str(path.relative_to(log.hot))
    log.journal.append(Moved(file=name, tier="warm", place="s3://bucket"))
    return name


def test_a_bucket_that_is_not_configured_is_said(log: AuditLog) -> None:
    moved_away(log)

    found = AuditFiles(log.audit).find("", "")

    assert found.days == ()
    assert [each.text for each in found.skipped] == [
        "1 day skipped: in a bucket; name the bucket they are in under storage.audit"
    ]


def test_files_of_a_bucket_are_asked_where_they_are_fetched_to(log: AuditLog) -> None:
    name = moved_away(log)
    asked: list[str] = []

    def fetch(files: Sequence[DayFile]) -> Fetched:
        asked.extend(each.written.file for each in files)
        cold = Skipped(days=("2020-01-01",), why="cold", fix="restore it")
        return Fetched((log.hot / name,), (cold,))

    found = AuditFiles(log.audit, fetch).find("", "")

    assert asked == [name]
    assert found.days == (str(log.hot / name),)
    assert [each.text for each in found.skipped] == ["1 day skipped: cold; restore it"]


def test_a_copy_is_found_from_every_directory(
    log: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`data` is where data is by default, and whoever answers works elsewhere."""
    name = Path(moved_away(log))
    monkeypatch.chdir((log.hot / name).parent)

    def fetch(files: Sequence[DayFile]) -> Fetched:
        return Fetched((Path(name.name),)) if files else Fetched()

    found = asyncio.run(SandboxRecords(AuditFiles(log.audit, fetch).find).ask(Question(sql=COUNT)))

    assert isinstance(found, Table)
    assert found.rows == ((1,),)


def test_only_files_of_the_days_that_are_asked_for_are_opened(log: AuditLog) -> None:
    log.sealed(call("r1", 10))
    log.live(call("r2", 0))
    wanted = log.filed(call("r3", 5))
    log.filed(call("r4", 9))
    day = when(5)[:10]

    found = AuditFiles(log.audit).find(day, day)

    assert len(found.segments) == 1
    assert found.days == (str(wanted),)
