import asyncio

from tests.torhaus.cast import run
from tests.torhaus.store.audit.ledgers import record
from tests.torhaus.witnesses import MemoryLedger
from torhaus.store.audit.lenient import LenientLedger


def test_records_that_can_be_written_are_written_and_waited_for() -> None:
    async def story() -> None:
        inner = MemoryLedger()
        ledger = LenientLedger(inner, 10.0)
        assert ledger.note(record("r1")) is None
        inner.hold()
        kept = ledger.note(record("r2"))
        assert kept is not None
        inner.release()

        await kept

        assert [each.request_id for each in inner.durable] == ["r1", "r2"]
        assert ledger.lost == 0

    run(story())


def test_a_ledger_that_refuses_holds_nobody_up_and_is_counted() -> None:
    async def story() -> None:
        inner = MemoryLedger()
        inner.refuses, inner.well = True, False
        ledger = LenientLedger(inner, 10.0)

        assert ledger.healthy()
        assert ledger.note(record("r1")) is None
        assert ledger.note(record("r2")) is None

        assert ledger.lost == 2

    run(story())


def test_a_lost_intent_is_no_lost_call_but_its_outcome_is() -> None:
    async def story() -> None:
        inner = MemoryLedger()
        inner.refuses = True
        ledger = LenientLedger(inner, 10.0)

        ledger.note(record("r1", phase="intent"))
        assert ledger.lost == 0
        ledger.note(record("r1", phase="outcome"))
        assert ledger.lost == 1

    run(story())


def test_a_record_that_is_lost_on_its_way_is_counted_once() -> None:
    async def story() -> None:
        inner = MemoryLedger()
        ledger = LenientLedger(inner, 10.0)
        inner.hold()
        kept = ledger.note(record("r1"))
        assert kept is not None
        inner.lose()

        await kept

        assert ledger.lost == 1

    run(story())


def test_a_disk_that_hangs_holds_a_call_up_for_a_while_and_is_counted_once() -> None:
    async def story() -> None:
        inner = MemoryLedger()
        ledger = LenientLedger(inner, 0.02)
        inner.hold()
        kept = ledger.note(record("r1"))
        assert kept is not None

        await kept
        inner.lose()
        await asyncio.sleep(0)

        assert ledger.lost == 1

    run(story())


def test_a_caller_who_hangs_up_takes_no_record_with_him() -> None:
    async def story() -> None:
        inner = MemoryLedger()
        ledger = LenientLedger(inner, 10.0)
        inner.hold()
        kept = asyncio.ensure_future(ledger.note(record("r1")) or asyncio.sleep(0))
        kept.cancel()
        inner.release()
        await asyncio.sleep(0)

        assert [each.request_id for each in inner.durable] == ["r1"]
        assert ledger.lost == 0

    run(story())
