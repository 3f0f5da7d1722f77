import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.cast import run
from tests.torhaus.store.audit.ledgers import record
from tests.torhaus.witnesses import MemoryLedger
from torhaus.model.record import Record
from torhaus.store.audit.settling import MARGIN, Attendance, died, needed, settle, unsettled

NOW = 1_790_000_000.0


def phased(request_id: str, phase: str, status: str = "success") -> Record:
    made = record(request_id, phase=phase)
    return msgspec.structs.replace(made, result=msgspec.structs.replace(made.result, status=status))


def segment(hot: Path, name: str, *records: Record, at: float = NOW) -> Path:
    hot.mkdir(parents=True, exist_ok=True)
    path = hot / f"seg-{name}.jsonl"
    lines = [msgspec.json.encode(each) for each in records]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    os.utime(path, (at, at))
    return path


def dead(running: Path, prefix: str, since: float = NOW) -> None:
    """As a process leaves it that is killed."""
    running.mkdir(parents=True, exist_ok=True)
    (running / prefix).write_bytes(b"%020.3f\n" % since)


def missing(root: Path) -> list[str]:
    found = died(root / "running")
    ids = [each.request_id for each in unsettled(root / "hot", found)]
    for each in found:
        each.leave()
    return ids


def test_an_intent_without_an_outcome_gets_one_that_says_it_was_interrupted(tmp_path: Path) -> None:
    intent = phased("req_a1", "intent", "started")
    segment(tmp_path / "hot", "1", intent, phased("req_a2", "intent"), phased("req_a2", "outcome"))
    dead(tmp_path / "running", "req_a")

    (made,) = unsettled(tmp_path / "hot", died(tmp_path / "running"))

    assert (made.phase, made.result.status) == ("outcome", "interrupted")
    for name in ("request_id", "timestamp", "user", "mcp_server", "operation", "parameters"):
        assert getattr(made, name) == getattr(intent, name)


def test_intent_and_outcome_may_be_in_different_segments_in_any_order(tmp_path: Path) -> None:
    segment(tmp_path / "hot", "1", phased("req_a1", "outcome"), phased("req_a2", "intent"))
    segment(tmp_path / "hot", "2", phased("req_a1", "intent"), phased("req_a2", "outcome"))
    dead(tmp_path / "running", "req_a")

    assert missing(tmp_path) == []


def test_what_stands_alone_or_is_no_record_is_left_alone(tmp_path: Path) -> None:
    path = segment(tmp_path / "hot", "1", record("req_a1"))
    with path.open("ab") as stream:
        stream.write(b'{"phase":"intent"}\nnonsense "phase":"x\n{"phase":"intent","torn')
    os.utime(path, (NOW, NOW))
    dead(tmp_path / "running", "req_a")

    assert missing(tmp_path) == []


def test_calls_of_a_living_process_are_its_own_business(tmp_path: Path) -> None:
    segment(tmp_path / "hot", "1", phased("req_a1", "intent"), phased("req_b1", "intent"))
    alive = Attendance(tmp_path / "running", "req_a")
    alive.begin(NOW)
    dead(tmp_path / "running", "req_b")

    assert missing(tmp_path) == ["req_b1"]

    alive.end()
    assert missing(tmp_path) == ["req_b1"]


def test_a_process_that_ended_well_leaves_nothing_to_settle(tmp_path: Path) -> None:
    ended = Attendance(tmp_path / "running", "req_a")
    ended.begin(NOW)
    ended.end()
    ended.end()
    ended.mark(NOW)

    assert list((tmp_path / "running").iterdir()) == []
    assert died(tmp_path / "running") == []
    assert died(tmp_path / "nowhere") == []


def test_a_killed_process_is_known_to_have_died(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path;"
        "from torhaus.store.audit.settling import Attendance;"
        "a = Attendance(Path(sys.argv[1]), 'req_k'); a.begin(5.0); a.mark(7.25);"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], check=False)

    (found,) = died(tmp_path)

    assert (found.prefix, found.since) == ("req_k", 7.25)


def test_only_what_may_hold_an_open_call_is_read(tmp_path: Path) -> None:
    segment(tmp_path / "hot", "1", phased("req_a1", "intent"), at=NOW - MARGIN - 1)
    segment(tmp_path / "hot", "2", phased("req_a2", "intent"), at=NOW - MARGIN + 1)
    dead(tmp_path / "running", "req_a")

    assert missing(tmp_path) == ["req_a2"]


def test_segments_in_which_calls_may_still_end_are_needed(tmp_path: Path) -> None:
    hot, running = tmp_path / "hot", tmp_path / "running"
    segment(hot, "1", record("req_a1"), at=NOW - 2 * MARGIN)
    segment(hot, "2", record("req_a2"), at=NOW)
    assert needed(hot, running) == set()

    alive = Attendance(running, "req_a")
    alive.begin(NOW)
    assert needed(hot, running) == {"seg-2.jsonl"}
    dead(running, "req_b", since=NOW - 2 * MARGIN)
    assert needed(hot, running) == {"seg-1.jsonl", "seg-2.jsonl"}

    (found,) = died(running)
    found.settled()
    alive.end()
    assert needed(hot, running) == set()


def test_a_mark_that_cannot_be_read_means_that_everything_is(tmp_path: Path) -> None:
    segment(tmp_path / "hot", "1", phased("req_a1", "intent"), at=1.0)
    dead(tmp_path / "running", "req_a")
    (tmp_path / "running" / "req_a").write_bytes(b"")

    assert missing(tmp_path) == ["req_a1"]


def test_one_heir_settles_what_another_is_settling(tmp_path: Path) -> None:
    segment(tmp_path / "hot", "1", phased("req_a1", "intent"))
    dead(tmp_path / "running", "req_a")
    (first,) = died(tmp_path / "running")

    assert died(tmp_path / "running") == []

    first.leave()
    (second,) = died(tmp_path / "running")
    second.settled()
    assert died(tmp_path / "running") == []


def test_settling_that_is_cut_off_is_done_again_and_settles_nothing_twice(tmp_path: Path) -> None:
    async def story() -> None:
        hot, running = tmp_path / "hot", tmp_path / "running"
        segment(hot, "1", *(phased(f"req_a{n}", "intent") for n in range(3)))
        dead(running, "req_a")
        found = died(running)
        ledger = MemoryLedger()
        assert await settle(ledger, hot, found) == 3
        found[0].leave()  # killed after two of the three were on disk

        segment(hot, "2", *ledger.durable[:2])

        assert missing(tmp_path) == ["req_a2"]

    run(story())


def test_a_link_in_place_of_a_mark_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "running").mkdir()
    (tmp_path / "precious").write_text("1.0")
    (tmp_path / "running" / "req_a").symlink_to(tmp_path / "precious")

    assert died(tmp_path / "running") == []
    assert (tmp_path / "precious").exists()


def test_a_process_whose_file_has_become_another_takes_that_one(tmp_path: Path) -> None:
    path = tmp_path / "running" / "req_a"
    alive = Attendance(path.parent, "req_a")
    alive.begin(NOW)
    path.write_bytes(path.read_bytes())
    path.rename(tmp_path / "of the dead disk")
    dead(path.parent, "req_a", NOW - 10)

    alive.mark(NOW)

    assert path.read_bytes() == b"%020.3f\n" % NOW
    assert died(path.parent) == []
    alive.end()
    assert not path.exists()


def test_no_process_makes_a_directory_for_its_file_again(tmp_path: Path) -> None:
    alive = Attendance(tmp_path / "running", "req_a")
    alive.begin(NOW)
    (tmp_path / "running").rename(tmp_path / "away")

    with pytest.raises(FileNotFoundError):
        alive.mark(NOW)

    assert not (tmp_path / "running").exists()
    alive.leave()
