"""What a call costs whom: budgets, slots and money."""

import asyncio
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, World, github, run, settled
from tests.torhaus.gate.fetched import (
    LIST,
    NEW,
    OLD_MEANWHILE,
    allowing,
    ask,
    said,
    served,
    world,
    write,
)
from tests.torhaus.scripted import text
from torhaus.model.cost import Costs, Price, SpendingCap
from torhaus.model.limits import LimitRule, Pace, Per, Slots
from torhaus.model.outcome import Answered, Limited, Served
from torhaus.model.ports import Charge, Shortage
from torhaus.model.servers import Window
from torhaus.store.counters import MemoryCounters


def each(budget: Window | Pace | Slots, **more: Any) -> LimitRule:
    return LimitRule(name="each", per=Per.USER, budget=budget, **more)


def test_a_write_that_is_over_its_limit_drops_nothing() -> None:
    async def story() -> None:
        made = allowing(world(), each(Window(1, 3600.0), tools=(), users=frozenset({DANA.email})))
        await write(made)
        await ask(made)

        assert isinstance(await write(made), Limited)
        assert served(await ask(made, BOB)) is Served.HIT

    run(story())


def test_whoever_joins_uses_none_of_his_own_budget() -> None:
    async def story() -> None:
        made = allowing(world(), each(Window(1, 3600.0)))
        held = made.upstream.waits()
        tasks = [made.begin(made.tool("list_issues", LIST, by=who)) for who in (ALICE, BOB)]
        await held.came()
        await settled()
        held.answer(text("once"))
        await asyncio.gather(*tasks)
        made.upstream.answers(text("more"))

        alice, bob = await ask(made, page=2), await ask(made, BOB, page=3)

        assert isinstance(alice, Limited)
        assert isinstance(bob, Answered)

    run(story())


def test_whoever_joins_somebody_over_his_limit_goes_on_within_his_own() -> None:
    async def story() -> None:
        made = allowing(world(), each(Window(1, 3600.0)))
        made.gate.fetching.counters = Slow(MemoryCounters())
        await ask(made, page=1)

        outcomes = await asyncio.gather(ask(made), ask(made, BOB))

        assert isinstance(outcomes[0], Limited)
        assert said(outcomes[1]) == "tools/call list_issues"

    run(story())


# -- budgets --------------------------------------------------------------------------------------


class Slow:
    """Counters elsewhere: a question takes a turn of the loop."""

    def __init__(self, counters: MemoryCounters) -> None:
        self.own = counters
        self.answered = asyncio.Event()
        self.answered.set()

    async def spend(
        self, charges: Sequence[Charge], now: float, lease: str = ""
    ) -> Shortage | None:
        found = self.own.take(charges, now, lease)  # decided there, before we hear of it
        await asyncio.sleep(0)
        await self.answered.wait()
        return found

    def release(self, charges: Sequence[Charge], lease: str) -> None:
        self.own.release(charges, lease)

    async def remaining(self, charges: Sequence[Charge], now: float) -> list[Any]:
        return await self.own.remaining(charges, now)


@pytest.mark.parametrize("tool", ["list_issues", "create_issue"])
def test_a_slot_is_free_again_when_its_caller_hangs_up(tool: str) -> None:
    async def story() -> None:
        made = allowing(world(), each(Slots(1)))
        script = made.upstream.script
        held = made.upstream.waits()
        call = made.begin(made.tool(tool, NEW, by=DANA))
        await held.came()

        over = await made.admit(made.tool(tool, {**NEW, "n": 2}, by=DANA))
        call.cancel()
        await settled()
        made.upstream.script = script
        after = await made.admit(made.tool(tool, {**NEW, "n": 3}, by=DANA))

        assert isinstance(over, Limited)
        assert isinstance(after, Answered)

    run(story())


@pytest.mark.parametrize("tool", ["list_issues", "create_issue"])
def test_a_slot_is_free_again_when_he_hangs_up_before_he_hears_that_he_has_it(tool: str) -> None:
    async def story() -> None:
        made = allowing(world(), each(Slots(1)))
        counters = made.gate.fetching.counters = Slow(MemoryCounters())
        counters.answered.clear()
        call = made.begin(made.tool(tool, NEW, by=DANA))
        await settled()

        call.cancel()
        await settled()
        counters.answered.set()

        assert isinstance(await made.admit(made.tool(tool, {**NEW, "n": 2}, by=DANA)), Answered)

    run(story())


def test_an_old_answer_given_meanwhile_does_not_free_the_slot_of_the_new_one() -> None:
    async def story() -> None:
        made = allowing(world(OLD_MEANWHILE), each(Slots(2), hits=True))
        await ask(made)
        made.clock.turn(61.0)
        counters = made.gate.fetching.counters = Slow(MemoryCounters())
        held = made.upstream.waits()

        await ask(made)
        await held.came()

        (state,) = [state for _, state in counters.own.held()]
        assert state.left(made.clock())[0] == 1

    run(story())


def test_hits_count_where_the_limit_says_so() -> None:
    async def story() -> None:
        made = allowing(world(), each(Window(2, 3600.0), hits=True))

        outcomes = [await ask(made) for _ in range(3)]

        assert [type(one).__name__ for one in outcomes] == ["Answered", "Answered", "Limited"]
        assert isinstance(outcomes[2], Limited)
        assert "2 calls per hour" in outcomes[2].text

    run(story())


def test_kept_contents_count_where_the_limit_says_so() -> None:
    async def story() -> None:
        made = allowing(world(), each(Window(2, 3600.0), hits=True))
        made.upstream.answers(
            msgspec.structs.replace(
                text("x"),
                result=b'{"contents":[],"ttlMs":60000,"cacheScope":"public",'
                b'"resultType":"complete"}',
            )
        )
        read = [made.asking("resources/read", {"uri": "repo://a/b"}, by=DANA) for _ in range(3)]

        outcomes = [await made.admit(one) for one in read]

        assert [type(one).__name__ for one in outcomes] == ["Answered", "Answered", "Limited"]
        assert served(outcomes[1]) is Served.HIT

    run(story())


def test_a_limit_per_key_counts_each_key_alone() -> None:
    async def story() -> None:
        rule = LimitRule(name="keys", per=Per.KEY, budget=Window(1, 3600.0))
        made = allowing(World(github()).knows_the_tools(), rule)

        def shown(key: bytes) -> Any:
            return msgspec.structs.replace(made.tool("list_issues", LIST), key=key)

        one, again = await made.admit(shown(b"one")), await made.admit(shown(b"one"))
        two = await made.admit(shown(b"two"))

        assert [type(o).__name__ for o in (one, again, two)] == ["Answered", "Limited", "Answered"]

    run(story())


# -- money ----------------------------------------------------------------------------------------

CENT = Price(Decimal("0.01"), "EUR")
TWO_CALLS = Costs(
    servers={"github": CENT},
    caps={"github": SpendingCap(amount=Decimal("0.02"), currency="EUR", stop=True)},
)


def test_a_spent_budget_with_a_hard_stop_stops_calls_and_no_hits() -> None:
    async def story() -> None:
        made = allowing(world(), costs=TWO_CALLS)
        await ask(made)
        await ask(made, page=2)

        over, hit = await ask(made, page=3), await ask(made)

        assert isinstance(over, Limited)
        assert "0.02 EUR per month" in over.text
        assert served(hit) is Served.HIT

    run(story())


def test_contents_cost_what_calls_cost() -> None:
    async def story() -> None:
        made = allowing(world(), costs=TWO_CALLS)
        read = [made.asking("resources/read", {"uri": f"repo://{n}"}, by=DANA) for n in range(3)]

        outcomes = [await made.admit(one) for one in read]

        assert [type(one).__name__ for one in outcomes] == ["Answered", "Answered", "Limited"]

    run(story())
