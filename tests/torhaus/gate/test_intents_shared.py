import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import BOB, DANA, World, github, run, settled
from tests.torhaus.gate.fetched import (
    MINUTE,
    NEW,
    OLD_MEANWHILE,
    allowing,
    ask,
    keeping,
    world,
    write,
)
from tests.torhaus.gate.phased import ids, phases, strict
from tests.torhaus.scripted import text
from torhaus.model.limits import LimitRule, Per
from torhaus.model.ports import Charge, Shortage
from torhaus.model.servers import Window
from torhaus.store.counters import MemoryCounters


def test_calls_that_share_one_answer_leave_one_intent() -> None:
    async def story() -> None:
        made = strict(world())
        held = made.upstream.waits()
        tasks = [made.begin(made.tool("list_issues", {"owner": "o", "repo": "r"}))]
        await held.came()
        tasks.append(made.begin(made.tool("list_issues", {"owner": "o", "repo": "r"}, by=BOB)))
        await settled()
        held.answer(text("one"))
        await asyncio.gather(*tasks)

        assert sorted(phases(made)) == [
            ("", "list_issues", "success"),
            ("intent", "list_issues", "started"),
            ("outcome", "list_issues", "success"),
        ]

    run(story())


def test_the_first_of_them_may_leave_before_the_intent_is_durable() -> None:
    async def story() -> None:
        made = strict(world())
        made.ledger.hold()
        first = made.begin(made.tool("list_issues", {"owner": "o", "repo": "r"}))
        await settled()
        second = made.begin(made.tool("list_issues", {"owner": "o", "repo": "r"}, by=BOB))
        await settled()
        first.cancel()
        made.ledger.release()
        with pytest.raises(asyncio.CancelledError):
            await first
        await second

        assert len(made.upstream.calls()) == 1
        assert ids(made.ledger.intents) == ids([r for r in made.ledger.noted if r.phase])

    run(story())


def test_a_call_that_goes_on_for_others_alone_has_records_of_its_own() -> None:
    async def story() -> None:
        made = strict(world())
        allowing(made, LimitRule(name="many", per=Per.USER, budget=Window(9, 3600.0)))
        made.gate.fetching.counters = counters = SlowCounters()
        first = made.begin(made.tool("list_issues", {"owner": "o", "repo": "r"}))
        await settled()
        second = made.begin(made.tool("list_issues", {"owner": "o", "repo": "r"}, by=BOB))
        await settled()
        first.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first
        counters.free.set()
        await second

        (intent,) = made.ledger.intents
        outcomes = [each for each in made.ledger.noted if each.phase == "outcome"]
        assert ids(outcomes) == [intent.request_id]
        assert len(set(ids(made.ledger.noted))) == 3
        assert len(made.upstream.calls()) == 1

    run(story())


def test_an_answer_that_is_fetched_anew_in_the_background_has_records_of_its_own() -> None:
    async def story() -> None:
        made = strict(world(OLD_MEANWHILE))
        await ask(made)
        made.clock.turn(MINUTE.ttl + 1)

        await ask(made)
        await settled()

        assert len(made.upstream.calls()) == 2
        assert len(made.ledger.intents) == 2
        outcomes = [each for each in made.ledger.noted if each.phase == "outcome"]
        assert ids(outcomes) == ids(made.ledger.intents)
        assert gate_is_quiet(made)

    run(story())


class SlowCounters(MemoryCounters):
    """As those of several gateways: asking takes a while."""

    def __init__(self) -> None:
        super().__init__()
        self.free = asyncio.Event()

    async def spend(
        self, charges: Sequence[Charge], now: float, lease: str = ""
    ) -> Shortage | None:
        await self.free.wait()
        return await super().spend(charges, now, lease)


def gate_is_quiet(made: World) -> bool:
    return not made.gate.intents.open and not made.gate.intents.owed


def test_a_masked_call_has_a_masked_intent() -> None:
    async def story() -> None:
        made = World(github())
        made.knows_the_tools()
        dana = with_redaction()
        secret = {**NEW, "body": "mail me: someone.else@example.com"}

        await made.admit(made.tool("create_issue", secret, by=dana))

        (intent,) = made.ledger.intents
        assert b"someone.else" not in bytes(intent.parameters)
        assert intent.parameters == made.ledger.noted[0].parameters

    run(story())


def with_redaction() -> Any:
    (phase,) = DANA.phases
    ((server, access),) = phase.access.items()
    masked = {server: msgspec.structs.replace(access, redact="no personal data")}
    return msgspec.structs.replace(DANA, phases=(msgspec.structs.replace(phase, access=masked),))


def test_the_cache_is_told_of_a_write_as_before() -> None:
    async def story() -> None:
        made = World(keeping()).knows_the_tools()
        await ask(made)
        await write(made)
        await ask(made)

        assert [each.name for each in made.upstream.calls()] == [
            "list_issues",
            "create_issue",
            "list_issues",
        ]

    run(story())
