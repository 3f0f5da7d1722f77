import asyncio
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.torhaus.cast import run
from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import no_file_over, record, until
from tests.torhaus.store.audit.test_settling import dead, phased, segment
from torhaus.audit.marks import is_record
from torhaus.model.auditing import AuditSettings
from torhaus.model.ports import LedgerError
from torhaus.model.record import Record
from torhaus.model.shipping import FileTarget, SinkSettings
from torhaus.redact.guard import Guard
from torhaus.store.audit.auditlog import AuditLog
from torhaus.store.audit.segments import segments
from torhaus.store.audit.settling import MARGIN, died

NOW = 1_790_000_000.0


def made(root: Path, prefix: str = "req_new", **settings: Any) -> AuditLog:
    root.mkdir(exist_ok=True)
    return AuditLog(root, AuditSettings(**settings), prefix, journal(root), Guard())


def ended(root: Path) -> list[tuple[str, str]]:
    """Id and status of every record that is no intent."""
    lines = [line for path in segments(root / "hot") for line in path.read_bytes().split(b"\n")]
    records = [msgspec.json.decode(line, type=Record) for line in lines if is_record(line)]
    return [(each.request_id, each.result.status) for each in records if each.phase != "intent"]


def crashed(root: Path) -> None:
    """One call was under way when the last process died, and one had ended."""
    intents = [phased(f"req_old{n}", "intent", "started") for n in (1, 2)]
    segment(root / "hot", "20260101T000000000000Z-1-ab", *intents, phased("req_old1", "outcome"))
    dead(root / "running", "req_old")


@pytest.mark.parametrize("durability", ["durable", "strict", "async"])
def test_the_next_start_says_of_calls_that_they_were_interrupted(
    tmp_path: Path, durability: str
) -> None:
    async def story() -> None:
        crashed(tmp_path)
        audit = made(tmp_path, durability=durability)

        assert await audit.open(NOW) == 1
        await until(lambda: ("req_old2", "interrupted") in ended(tmp_path))

        await audit.close(complete=True)
        assert ended(tmp_path) == [("req_old1", "success"), ("req_old2", "interrupted")]
        assert list((tmp_path / "running").iterdir()) == []

    run(story())


def test_it_is_said_once_over_many_starts(tmp_path: Path) -> None:
    async def story() -> None:
        crashed(tmp_path)
        for start in range(3):
            audit = made(tmp_path, f"req_start{start}")
            await audit.open(NOW)
            await audit.close(complete=True)

        assert [each[1] for each in ended(tmp_path)] == ["success", "interrupted"]

    run(story())


@pytest.mark.parametrize("durability", ["durable", "async"])
def test_a_process_that_dies_is_settled_by_one_that_runs_and_once(
    tmp_path: Path, durability: str
) -> None:
    async def story() -> None:
        one = made(tmp_path, "req_one", durability=durability)
        two = made(tmp_path, "req_two", durability=durability)
        assert await one.open(NOW) == await two.open(NOW) == 0
        crashed(tmp_path)

        await asyncio.gather(one.inherit(), two.inherit())
        await until(lambda: ("req_old2", "interrupted") in ended(tmp_path))
        assert (tmp_path / "running" / "req_old").exists()  # until it is surely on disk
        for _ in range(2):
            await asyncio.gather(one.beat(NOW), two.beat(NOW))
        assert not (tmp_path / "running" / "req_old").exists()

        await one.close(complete=True)
        await two.close(complete=True)
        assert sorted(ended(tmp_path)) == [("req_old1", "success"), ("req_old2", "interrupted")]
        assert list((tmp_path / "running").iterdir()) == []

    run(story())


def test_what_cannot_be_settled_is_left_to_others(tmp_path: Path) -> None:
    async def story() -> None:
        audit = made(tmp_path)
        await audit.open(NOW)
        crashed(tmp_path)
        with no_file_over(0), capture_logs() as logs:
            await audit.inherit()
        assert {"audit.failed", "audit.unsettled"} <= {each["event"] for each in logs}
        assert len(died(tmp_path / "running")) == 1
        await audit.close(complete=True)

    run(story())


def test_what_was_settled_is_forgotten_only_once_it_is_on_disk(tmp_path: Path) -> None:
    async def story() -> None:
        crashed(tmp_path)
        audit = made(tmp_path)
        await audit.open(NOW)
        assert (tmp_path / "running" / "req_old").exists()

        await audit.beat(NOW + 15)

        assert [each.name for each in (tmp_path / "running").iterdir()] == ["req_new"]
        assert (tmp_path / "running" / "req_new").read_text().strip().endswith("1790000015.000")
        await audit.close(complete=True)

    run(story())


def test_whoever_ends_with_calls_under_way_leaves_them_to_the_next_start(tmp_path: Path) -> None:
    async def story() -> None:
        audit = made(tmp_path)
        await audit.open(NOW)
        kept = audit.calls.note(phased("req_new1", "intent", "started"))
        assert kept is not None
        await kept
        await audit.close(complete=False)

        again = made(tmp_path, "req_again")
        assert await again.open(NOW) == 1
        await again.close(complete=True)
        assert ended(tmp_path) == [("req_new1", "interrupted")]

    run(story())


def test_when_records_are_required_calls_meet_the_ledger_itself(tmp_path: Path) -> None:
    async def story() -> None:
        audit = made(tmp_path)
        await audit.open(NOW)

        assert audit.required
        assert audit.calls is audit.ledger
        assert audit.lost() == 0
        await audit.close(complete=True)

    run(story())


def test_when_calls_go_on_without_records_acts_do_not(tmp_path: Path) -> None:
    async def story() -> None:
        audit = made(tmp_path, on_failure="allow")
        await audit.open(NOW)
        kept = audit.calls.note(record("r1"))
        assert kept is not None
        await kept
        with no_file_over(1024):
            while not audit.lost():
                kept = audit.calls.note(record("r2"))
                assert kept is not None
                await kept
            with pytest.raises(LedgerError):
                audit.ledger.note(record("r3"))
        assert not audit.required
        assert audit.lost() == 1
        assert audit.calls.healthy()
        await audit.close(complete=True)

    run(story())


def test_a_directory_that_cannot_be_written_keeps_the_house_closed(tmp_path: Path) -> None:
    async def story() -> None:
        (tmp_path / "running").write_text("no directory")

        with pytest.raises(LedgerError, match="cannot be opened"):
            await made(tmp_path).open(NOW)

    run(story())


def test_sinks_have_everything_once_it_is_closed(tmp_path: Path) -> None:
    out = tmp_path / "copy.jsonl"
    sinks = (SinkSettings(name="copy", target=FileTarget(path=str(out))),)

    async def story() -> None:
        audit = made(tmp_path / "audit", sinks=sinks)
        await audit.open(NOW)
        (segment,) = segments(tmp_path / "audit" / "hot")
        for number in range(20):
            noted = audit.ledger.note(record(f"req_{number}"))
            assert noted is not None
            await noted
        assert audit.awaited(segment.stat().st_mtime) <= {segment.name}
        assert audit.late() == {"copy": ""}

        await audit.close(complete=True)

        assert audit.awaited(segment.stat().st_mtime) == set()

    run(story())

    assert out.read_bytes().count(b'{"timestamp"') == 20


def test_a_sink_that_fails_is_told_and_its_segments_stay(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "no-such-directory" / "copy.jsonl")
    sinks = (SinkSettings(name="copy", target=FileTarget(path=nowhere)),)

    async def story() -> None:
        audit = made(tmp_path / "audit", sinks=sinks)
        await audit.open(NOW)
        (segment,) = segments(tmp_path / "audit" / "hot")
        noted = audit.ledger.note(record("req_1"))
        assert noted is not None
        await noted
        # Its record is of another year: that the sink is late is told before that it fails.
        await until(lambda: "late" not in (audit.late()["copy"] or "late"))

        assert audit.late()["copy"].startswith("does not take records")
        await audit.close(complete=True)
        assert audit.awaited(segment.stat().st_mtime) == {segment.name}

    run(story())


def test_segments_in_which_a_call_may_still_end_stay_segments(tmp_path: Path) -> None:
    async def story() -> None:
        crashed(tmp_path)
        audit = made(tmp_path)
        await audit.open(NOW)
        old = "seg-20260101T000000000000Z-1-ab.jsonl"
        assert old in audit.awaited(NOW)

        await audit.beat(time.time() + 2 * MARGIN)

        assert old not in audit.awaited(NOW)
        await audit.close(complete=True)

    run(story())
