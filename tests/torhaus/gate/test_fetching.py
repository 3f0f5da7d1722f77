"""Where an allowed call's answer comes from, and what it costs whom."""

import asyncio
import json
from collections.abc import Sequence
from contextlib import suppress
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, NOW, World, github, run, settled
from tests.torhaus.scripted import note, text
from torhaus.gate.fetching import Fetching
from torhaus.model.caching import CacheRule, Caching, Invalidation, Scope, Selector
from torhaus.model.cost import Costs, Price, SpendingCap
from torhaus.model.limits import LimitRule, Limits, Pace, Per, Slots
from torhaus.model.outcome import Answered, Failed, Limited, Outcome, Served
from torhaus.model.ports import Charge, Detached, Shortage, UpstreamError
from torhaus.model.servers import Server, Window
from torhaus.store.counters import MemoryCounters

MINUTE = CacheRule(ttl=60.0)
OLD_MEANWHILE = CacheRule(ttl=60.0, stale_while_revalidate=60.0)
OLD_ON_ERROR = CacheRule(ttl=60.0, stale_if_error=600.0)
WRITES = {"createissue": (Invalidation(tag="github.listissues"),)}
LIST = {"owner": "myorg", "repo": "api"}
NEW = {**LIST, "title": "t"}


def keeping(rule: CacheRule = MINUTE, **more: Any) -> Server:
    return github(caching=Caching(tools={"listissues": rule}, triggers=WRITES), **more)


def world(rule: CacheRule = MINUTE, **more: Any) -> World:
    return World(keeping(rule, **more)).knows_the_tools()


def allowing(made: World, *rules: LimitRule, costs: Costs | None = None) -> World:
    made.rules = msgspec.structs.replace(
        made.rules, limits=Limits(rules=rules), costs=costs or Costs()
    )
    return made


def each(budget: Window | Pace | Slots, **more: Any) -> LimitRule:
    return LimitRule(name="each", per=Per.USER, budget=budget, **more)


async def ask(made: World, by: Any = ALICE, **arguments: Any) -> Outcome:
    return await made.admit(made.tool("list_issues", {**LIST, **arguments}, by=by))


async def write(made: World, by: Any = DANA) -> Outcome:
    return await made.admit(made.tool("create_issue", NEW, by=by))


def said(outcome: Outcome) -> str:
    assert isinstance(outcome, Answered), outcome
    assert outcome.answer.result is not None
    return str(json.loads(outcome.answer.result)["content"][0]["text"])


def served(outcome: Outcome) -> Served | None:
    assert isinstance(outcome, Answered), outcome
    return outcome.served


def mark(outcome: Outcome) -> Any:
    assert isinstance(outcome, Answered)
    return json.loads(outcome.answer.result or b"")["_meta"]["torhaus/cache"]


# -- kept answers ---------------------------------------------------------------------------------


def test_a_second_question_is_answered_from_the_cache_and_says_so() -> None:
    async def story() -> None:
        made = world()
        first = await ask(made)
        made.clock.turn(20.0)

        second = await ask(made, BOB)

        assert (served(first), served(second)) == (None, Served.HIT)
        assert mark(first) == {"hit": False, "age": 0, "expires": 60}
        assert mark(second) == {"hit": True, "age": 20, "expires": 40}
        assert len(made.upstream.calls()) == 1

    run(story())


def test_a_user_specific_answer_is_for_nobody_else() -> None:
    async def story() -> None:
        made = world(CacheRule(ttl=60.0, scope=Scope.USER))
        await ask(made)

        other, own = await ask(made, BOB), await ask(made)

        assert (served(other), served(own)) == (None, Served.HIT)

    run(story())


def test_user_specific_calls_at_the_same_time_share_nothing() -> None:
    async def story() -> None:
        made = world(CacheRule(ttl=60.0, scope=Scope.USER))
        held = made.upstream.waits()
        tasks = [made.begin(made.tool("list_issues", LIST, by=who)) for who in (ALICE, BOB)]
        await settled()

        held.answer(text("Alice's"))
        held.answer(text("Bob's"))

        assert [said(each) for each in await asyncio.gather(*tasks)] == ["Alice's", "Bob's"]

    run(story())


def test_a_server_with_nothing_to_keep_is_asked_each_time() -> None:
    async def story() -> None:
        made = World(github()).knows_the_tools()

        outcomes = [await ask(made), await ask(made)]

        assert [served(one) for one in outcomes] == [None, None]
        assert len(made.upstream.calls()) == 2

    run(story())


def test_a_kept_answer_is_written_for_the_era_of_who_asks() -> None:
    async def story() -> None:
        made = world()
        session = made.session()
        legacy = made.tool("list_issues", LIST, session=session)

        old = await made.admit(legacy)
        new = await ask(made, BOB)
        back = await made.admit(msgspec.structs.replace(legacy))

        assert [served(one) for one in (old, new, back)] == [None, Served.HIT, Served.HIT]
        assert isinstance(new, Answered)
        assert json.loads(new.answer.result or b"")["resultType"] == "complete"
        assert isinstance(back, Answered)
        assert "resultType" not in json.loads(back.answer.result or b"")

    run(story())


# -- writes ---------------------------------------------------------------------------------------


def test_a_write_drops_what_it_makes_untrue_before_its_answer_leaves() -> None:
    async def story() -> None:
        made = world()
        await ask(made)

        await write(made)

        assert served(await ask(made)) is None

    run(story())


@pytest.mark.parametrize("end", [UpstreamError("it broke"), Detached("the stream ended")])
def test_a_write_that_fails_may_have_written(end: Exception) -> None:
    async def story() -> None:
        made = world()
        await ask(made)
        script = made.upstream.script
        made.upstream.fails(end)
        with suppress(Detached):
            await made.admit(made.tool("create_issue", NEW, by=DANA, session=made.session(DANA)))
        made.upstream.script = script

        assert served(await ask(made)) is None

    run(story())


def test_a_write_whose_caller_hangs_up_may_have_written() -> None:
    async def story() -> None:
        made = world()
        await ask(made)
        script = made.upstream.script
        held = made.upstream.waits()
        writing = made.begin(made.tool("create_issue", NEW, by=DANA))
        await held.came()

        writing.cancel()
        await settled()
        made.upstream.script = script

        assert served(await ask(made)) is None

    run(story())


def test_a_write_that_is_over_its_limit_drops_nothing() -> None:
    async def story() -> None:
        made = allowing(world(), each(Window(1, 3600.0), tools=(), users=frozenset({DANA.email})))
        await write(made)
        await ask(made)

        assert isinstance(await write(made), Limited)
        assert served(await ask(made, BOB)) is Served.HIT

    run(story())


def test_an_answer_that_a_write_overtook_is_not_kept() -> None:
    async def story() -> None:
        made = world()
        script = made.upstream.script
        held = made.upstream.waits()
        reading = made.begin(made.tool("list_issues", LIST))
        await held.came()
        made.upstream.script = script
        await write(made)

        held.answer(text("from before"))

        assert said(await reading) == "from before"
        assert served(await ask(made)) is None

    run(story())


def test_nobody_joins_a_call_that_began_before_a_write() -> None:
    async def story() -> None:
        made = world()
        script = made.upstream.script
        held = made.upstream.waits()
        reading = made.begin(made.tool("list_issues", LIST))
        await held.came()
        made.upstream.script = script
        await write(made)

        after = await ask(made, BOB)
        held.answer(text("from before"))

        assert said(after) == "tools/call list_issues"
        assert said(await reading) == "from before"
        assert said(await ask(made)) == "tools/call list_issues"

    run(story())


# -- old answers ----------------------------------------------------------------------------------


def test_an_old_answer_is_given_while_a_new_one_is_fetched() -> None:
    async def story() -> None:
        made = world(OLD_MEANWHILE)
        await ask(made)
        made.clock.turn(61.0)
        made.upstream.answers(text("new"))

        old = await ask(made, BOB)
        await settled()
        new = await ask(made)

        assert (said(old), served(old)) == ("tools/call list_issues", Served.STALE)
        assert (said(new), served(new)) == ("new", Served.HIT)
        assert len(made.upstream.calls()) == 2

    run(story())


def test_whoever_has_it_fetched_is_counted_with_the_call_to_the_server() -> None:
    async def story() -> None:
        made = world(OLD_MEANWHILE)
        await ask(made)
        made.clock.turn(61.0)
        held = made.upstream.waits()

        first, second = await ask(made, BOB), await ask(made)
        await held.came()
        held.answer(text("new"))
        await settled()

        assert isinstance(first, Answered)
        assert isinstance(second, Answered)
        assert (first.cached, first.refreshed) == (True, True)
        assert (second.cached, second.refreshed) == (True, False)

    run(story())


def test_a_new_answer_that_cannot_be_had_leaves_the_old_one() -> None:
    async def story() -> None:
        made = world(OLD_MEANWHILE)
        await ask(made)
        made.clock.turn(61.0)
        made.upstream.fails(UpstreamError("down"))

        outcomes = [await ask(made) for _ in range(3)]

        assert [served(one) for one in outcomes] == [Served.STALE] * 3

    run(story())


def test_an_old_answer_stands_in_for_a_server_that_fails() -> None:
    async def story() -> None:
        made = world(OLD_ON_ERROR)
        await ask(made)
        made.clock.turn(120.0)
        made.upstream.fails(UpstreamError("down"))

        within = await ask(made)
        made.clock.turn(600.0)
        after = await ask(made)

        assert (served(within), mark(within)) == (
            Served.STALE,
            {"hit": True, "age": 120, "expires": 0},
        )
        assert isinstance(after, Failed)

    run(story())


def test_no_old_answer_stands_in_once_a_write_made_it_untrue() -> None:
    async def story() -> None:
        made = world(OLD_ON_ERROR)
        await ask(made)
        made.clock.turn(120.0)
        script = made.upstream.script
        held = made.upstream.waits()
        reading = made.begin(made.tool("list_issues", LIST))
        await held.came()
        made.upstream.script = script
        await write(made)

        held.fail(UpstreamError("down"))

        assert isinstance(await reading, Failed)

    run(story())


def test_an_error_of_the_tool_is_no_failure_to_stand_in_for() -> None:
    async def story() -> None:
        made = world(OLD_ON_ERROR)
        await ask(made)
        made.clock.turn(120.0)
        made.upstream.answers(text("no such repo", isError=True))

        assert said(await ask(made)) == "no such repo"

    run(story())


# -- calls under way ------------------------------------------------------------------------------


def test_nobody_joins_a_call_whose_server_asked_its_caller() -> None:
    async def story() -> None:
        made = world()
        held = made.upstream.waits()
        asking = made.begin(made.tool("list_issues", LIST, session=made.session()))
        sink = await held.came()
        sink.notice(note("elicitation/create", {"message": "Which?"}, id="s1"))

        other = made.begin(made.tool("list_issues", LIST, by=BOB))
        await settled()

        assert len(held.begun) == 2
        held.answer(text("for Alice alone"))
        held.answer(text("for Bob"))
        assert said(await asking) == "for Alice alone"
        assert said(await other) == "for Bob"

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


def test_everybody_hears_of_a_failure_and_one_call_is_counted() -> None:
    async def story() -> None:
        made = world()
        held = made.upstream.waits()
        tasks = [made.begin(made.tool("list_issues", LIST, by=who)) for who in (ALICE, BOB)]
        await held.came()
        await settled()

        held.fail(UpstreamError("down"))
        outcomes = await asyncio.gather(*tasks)

        assert [isinstance(one, Failed) for one in outcomes] == [True, True]
        assert [one.joined for one in outcomes if isinstance(one, Failed)] == [False, True]

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


def test_a_chore_goes_on_although_nobody_waits() -> None:
    async def story() -> None:
        made = world()
        await ask(made)
        fetching: Fetching = made.gate.fetching

        fetching.chore(fetching.forget([Selector(tag="github")]))
        await settled()

        assert served(await ask(made)) is None
        assert made.clock() == NOW

    run(story())
