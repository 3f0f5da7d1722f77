import asyncio
from dataclasses import replace
from pathlib import Path

from structlog.testing import capture_logs

from tests.torhaus.cast import run
from tests.torhaus.store.audit.ledgers import until
from tests.torhaus.store.audit.tiers.stock import DAY, MORNING, depot, record, seal
from tests.torhaus.witnesses import MemoryLedger
from torhaus.model.keeping import After, Retention
from torhaus.store.audit.tiers.caretaker import Caretaker
from torhaus.store.audit.tiers.compacting import compact
from torhaus.store.audit.tiers.errand import Errand


def caretaker(tmp_path: Path, ledger: MemoryLedger, now: float) -> Caretaker:
    errand = Errand()
    return Caretaker(
        replace(depot(tmp_path), convert=errand),
        Retention(hot=30 * DAY, after=After.DELETE),
        None,
        ledger=ledger,
        errand=errand,
        ids=lambda: "adm_1",
        clock=lambda: now,
    )


def test_a_gateway_looks_after_its_files_and_records_what_ends(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(MORNING, 1)])
    compact(depot(tmp_path))
    ledger = MemoryLedger()

    async def story() -> None:
        made = caretaker(tmp_path, ledger, MORNING + 40 * DAY)
        made.start()
        await until(lambda: depot(tmp_path).catalogue().files == {})
        await made.close()

    run(story())

    (left,) = ledger.durable
    assert left.operation == "audit.deleted"
    assert left.user.email == "torhaus"
    assert left.access_control.policy_applied == "retention"
    assert "older than 30 days" in left.access_control.reason
    assert b"day=2025-10-20/gate-1-0000000001.parquet" in bytes(left.parameters)


def test_what_cannot_be_recorded_does_not_end(tmp_path: Path) -> None:
    seal(tmp_path, "a", [record(MORNING, 1)])
    compact(depot(tmp_path))
    ledger = MemoryLedger()
    ledger.refuses = True

    async def story() -> Caretaker:
        made = caretaker(tmp_path, ledger, MORNING + 40 * DAY)
        made.start()
        await until(lambda: made.standing.trouble is not None)
        await made.close()
        return made

    with capture_logs():
        made = asyncio.run(story())

    assert made.standing.trouble == "the disk is gone"
    assert len(depot(tmp_path).catalogue().files) == 1


def test_it_can_be_asked_to_hurry_and_compacts_in_its_helper(tmp_path: Path) -> None:
    async def story() -> int:
        made = caretaker(tmp_path, MemoryLedger(), MORNING + DAY)
        made.start()
        await until(lambda: made.standing.tiers != {})
        seal(tmp_path, "a", [record(MORNING, 1)])
        made.hurry()
        await until(lambda: made.standing.tiers["hot"].records == 1)
        await made.close()
        return made.standing.waiting.files

    with capture_logs():
        assert asyncio.run(story()) == 0


def test_one_that_was_never_started_can_be_closed(tmp_path: Path) -> None:
    run(caretaker(tmp_path, MemoryLedger(), MORNING).close())
