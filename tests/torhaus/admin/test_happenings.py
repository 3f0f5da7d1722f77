import asyncio
import json
from typing import Any

from tests.torhaus.admin.hall import until
from tests.torhaus.cast import NOW, Clock, run, settled
from tests.torhaus.witnesses import MemoryLedger
from torhaus.admin.happenings import Happenings
from torhaus.model.record import Record
from torhaus.model.strangers import Strangers

SEEN = Strangers(
    ip="192.0.2.7",
    reason="the key is not valid here",
    began=NOW,
    since="2026-09-21T14:13:20.000Z",
    until="2026-09-21T14:14:09.500Z",
    count=100,
)


def house() -> tuple[Happenings, MemoryLedger]:
    ledger = MemoryLedger()
    numbers = iter(range(1, 100))
    return Happenings(ledger, Clock(NOW), lambda: f"adm_{next(numbers)}"), ledger


def said(record: Record) -> tuple[str, str, str, Any]:
    return (
        record.operation,
        record.user.email,
        record.result.status,
        json.loads(bytes(record.parameters)),
    )


def test_starts_and_stops_are_recorded() -> None:
    async def story() -> None:
        happenings, ledger = house()
        happenings.started("1.2.3", "d" * 64, 0)
        happenings.started("1.2.3", "d" * 64, 7)
        happenings.stopped()

        await happenings.write()

        known = {"version": "1.2.3", "configuration": "d" * 64}
        assert [said(each) for each in ledger.durable] == [
            ("gateway.started", "torhaus", "success", known),
            ("gateway.started", "torhaus", "success", {**known, "interrupted": 7}),
            ("gateway.stopped", "torhaus", "success", {}),
        ]

    run(story())


def test_a_new_configuration_is_recorded_with_what_changed_by_name() -> None:
    async def story() -> None:
        happenings, ledger = house()
        changed = {"users": {"added": ["carol@example.com"]}}
        happenings.reloaded("a" * 64, "b" * 64, changed, ["port"])
        happenings.reload_refused("b" * 64, 3)

        await happenings.write()

        assert [said(each) for each in ledger.durable] == [
            (
                "configuration.reloaded",
                "torhaus",
                "success",
                {
                    "changed": changed,
                    "after_restart": ["port"],
                    "before": {"digest": "a" * 64},
                    "after": {"digest": "b" * 64},
                },
            ),
            (
                "configuration.reloaded",
                "torhaus",
                "denied",
                {"problems": 3, "before": {"digest": "b" * 64}},
            ),
        ]

    run(story())


def test_wrong_credentials_are_recorded_by_address_with_a_count() -> None:
    async def story() -> None:
        happenings, ledger = house()
        happenings.strangers([SEEN])

        await happenings.write()

        (record,) = ledger.durable
        times = {"since": SEEN.since, "until": SEEN.until}
        assert said(record) == ("credentials.refused", "", "denied", {"count": 100, **times})
        assert (record.user.ip, record.timestamp) == ("192.0.2.7", SEEN.since)
        assert record.access_control.reason == SEEN.reason

    run(story())


def test_what_cannot_be_written_waits_until_it_can() -> None:
    async def story() -> None:
        happenings, ledger = house()
        ledger.refuses = True
        task = asyncio.ensure_future(happenings.run())
        happenings.stopped()
        happenings.strangers([SEEN])
        await settled()
        assert ledger.durable == []

        ledger.refuses = False
        await until(lambda: len(ledger.durable) == 2)

        task.cancel()
        assert [each.operation for each in ledger.durable] == [
            "gateway.stopped",
            "credentials.refused",
        ]

    run(story())


def test_a_log_that_stays_broken_does_not_keep_the_house_from_closing() -> None:
    async def story() -> None:
        happenings, ledger = house()
        ledger.refuses = True
        happenings.stopped()

        await happenings.close()

        assert ledger.durable == []

    run(story())
