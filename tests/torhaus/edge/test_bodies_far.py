"""Calls that are recognised while their answers are in another process: a real Valkey."""

import asyncio
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from tests.torhaus.cast import DAY, World, github
from tests.torhaus.edge.doors import ENVELOPE, Caller, House, open_house, routing, said
from tests.torhaus.edge.twins import (
    Twins,
    answering_from,
    body,
    counting,
    known,
    twins,
    watched,
)
from tests.torhaus.scripted import TOOLS, listing, text
from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play, until, valkey
from torhaus.model.caching import CacheRule, Caching, Selector
from torhaus.model.limits import LimitRule, Limits, Per
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink
from torhaus.model.servers import Window
from torhaus.store.redis.cache import RedisCache
from torhaus.store.redis.shared import Shared

TAG = Selector(tag="github.list_issues")
NOTHING = 0
"""Bytes of memory: every answer comes from the server."""


@pytest.fixture(scope="module")
def server() -> Iterator[Valkey]:
    with valkey() as one:
        yield one


@pytest.fixture
def own() -> Iterator[Valkey]:
    with valkey() as one:
        yield one


@asynccontextmanager
async def far(
    server: Valkey, rule: CacheRule | None = None, near: int = NOTHING, timeout: float = 5.0
) -> AsyncIterator[Twins]:
    """Twins that keep their answers in one server, each under a name of its own."""
    shared = [Shared(alone(server, timeout=timeout), near) for _ in range(2)]
    try:
        for each in shared:
            assert await each.first(10.0)
        async with twins(rule, [each.cache for each in shared]) as both:
            yield both
    finally:
        for each in shared:
            await each.close()


def cache(house: House) -> RedisCache:
    found = house.world.gate.cache
    assert isinstance(found, RedisCache)
    return found


async def forget(both: Twins) -> None:
    for house in both.houses:
        await cache(house).purge(TAG)


@pytest.mark.parametrize("near", [NOTHING, 2000])
def test_what_another_process_has_needs_no_reading(server: Valkey, near: int) -> None:
    async def story() -> None:
        async with far(server, near=near) as both:
            taken = []
            for number in range(6):
                for repo in ("api", "web", "docs"):  # one of them fits into the memory
                    answer = await both.ask(body(number, {"repo": repo}))
                    assert said(answer)["id"] == number
                    assert repo in answer.body.decode()
                taken.append(both.taken)

            assert taken == [0, 0, 0, 3, 6, 9]

    play(story)


def test_a_caller_without_a_session_is_answered_too(server: Valkey) -> None:
    async def story() -> None:
        async with far(server) as both:
            headers = routing("tools/call", "list_issues")
            for number in range(5):
                told = body(number, _meta={**ENVELOPE, "progressToken": number})
                assert said(await both.ask(told, headers=headers))["id"] == number

            assert both.taken == 2

    play(story)


@pytest.mark.parametrize("seconds", [59.0, 61.0, DAY])
def test_time_passes(server: Valkey, seconds: float) -> None:
    async def story() -> None:
        async with far(server) as both:
            await known(both)
            both.both(lambda house: house.world.clock.turn(seconds))

            mark = said(await both.ask(body()))["result"]["_meta"]["torhaus/cache"]

            assert mark["hit"] is (seconds < 60)

    play(story)


def test_what_was_forgotten_is_fetched_once_and_asked_for_once(server: Valkey) -> None:
    async def story() -> None:
        async with far(server) as both:
            before = await known(both)
            await forget(both)

            await both.ask(body(7, _meta={"progressToken": 7}))
            await both.ask(body(8))

            assert both.taken == before + 1  # the first of these is another frame
            calls = both.houses[0].world.upstream.calls()
            assert sum(each.method == "tools/call" for each in calls) == 2

    play(story)


def test_an_old_answer_that_may_be_given_is_given_the_long_way(server: Valkey) -> None:
    async def story() -> None:
        rule = CacheRule(ttl=60.0, stale_while_revalidate=600.0)
        async with far(server, rule) as both:
            before = await known(both)
            both.both(lambda house: house.world.clock.turn(100.0))

            await both.ask(body())

            assert both.taken == before

    play(story)


def test_budgets_that_count_every_answer_are_used_up(server: Valkey) -> None:
    async def story() -> None:
        async with far(server) as both:
            each = LimitRule(name="each", per=Per.USER, budget=Window(6, 60.0), hits=True)
            both.rule(limits=Limits(rules=(each,)))

            ends = [said(await both.ask(body(number))) for number in range(9)]

            assert ["isError" in end["result"] for end in ends] == [False] * 6 + [True] * 3
            assert both.taken == 6

    play(story)


def test_a_record_that_is_refused_holds_the_answer_back(server: Valkey) -> None:
    async def story() -> None:
        async with far(server) as both:
            await known(both)

            def refuse(house: House) -> None:
                house.world.ledger.refuses = True

            both.both(refuse)
            answer = await both.ask(body(5))

            assert "audit log" in said(answer)["result"]["content"][0]["text"]

    play(story)


def test_a_whole_day_of_repeats_leaves_the_same_records(server: Valkey) -> None:
    async def story() -> None:
        async with far(server, CacheRule(ttl=40.0), near=2000) as both:
            dice = random.Random(11)
            for number in range(300):
                roll = dice.random()
                if roll < 0.03:
                    both.both(lambda house: house.world.clock.turn(15.0))
                elif roll < 0.05:
                    await forget(both)
                elif roll < 0.06:
                    both.rule()
                elif roll < 0.08:
                    both.forget_callers()
                arguments = {"repo": dice.choice(["api", "web", "docs"])}
                meta = dice.choice([{}, {"_meta": {"progressToken": number}}])
                name = "list_issues" if roll < 0.97 else "create_issue"
                by = dice.choice(["alice", "bob"])
                await both.ask(body(number, arguments, name, **meta), by=by)

            assert both.taken > 100

    play(story)


# -- what changes while the server is asked -------------------------------------------------------


class Pending:
    """One recognised call of the first house while the server says nothing."""

    def __init__(self, house: House, caller: Caller, reading: "asyncio.Task[Any]") -> None:
        self.house = house
        self.caller = caller
        self.reading = reading


@asynccontextmanager
async def pending(both: Twins, own: Valkey) -> AsyncIterator[Pending]:
    """The server goes on when the body ends."""
    house = both.houses[0]
    caller = await house.connect()
    await caller.begin()
    own.pause()
    try:
        caller.send(body(5))
        reading = asyncio.ensure_future(caller.client.answer())
        await asyncio.sleep(0.05)
        assert not reading.done()
        yield Pending(house, caller, reading)
    finally:
        own.resume()


def learn(house: House, *tools: dict[str, Any]) -> None:
    world = house.world
    world.gate.catalogue.learn(world.server, [listing(*tools).result or b""], world.clock())


CHANGED = {**TOOLS[0], "annotations": {"readOnlyHint": False}}


def test_a_tool_that_changes_meanwhile_is_judged_anew(own: Valkey) -> None:
    async def story() -> None:
        async with far(own) as both:
            before = await known(both)
            async with pending(both, own) as waiting:
                learn(waiting.house, CHANGED, TOOLS[1])

            await waiting.reading

            assert both.taken == before
            assert waiting.house.records()[-1][0] == "list_issues"

    play(story)


def test_access_that_ends_meanwhile_is_refused(own: Valkey) -> None:
    async def story() -> None:
        async with far(own, CacheRule(ttl=9 * DAY)) as both:
            before = await known(both, by="carol")
            house = both.houses[0]
            caller = await house.connect("carol-key")
            await caller.begin()
            own.pause()
            caller.send(body(5))
            await asyncio.sleep(0.05)
            house.world.clock.turn(DAY)
            own.resume()

            answer = await caller.client.answer()

            assert said(answer)["result"]["isError"] is True
            assert house.records()[-1] == ("list_issues", "denied")
            assert both.taken == before

    play(story)


def test_whoever_calls_it_off_meanwhile_leaves_one_record(own: Valkey) -> None:
    async def story() -> None:
        async with far(own) as both:
            await known(both)
            async with pending(both, own) as waiting:
                other = await waiting.house.connect()
                other.session = waiting.caller.session
                told = {"method": "notifications/cancelled", "params": {"requestId": 5}}
                await other.ask({"jsonrpc": "2.0", **told})
                answer = await waiting.reading

            assert b'"result"' not in answer.body
            assert waiting.house.records()[-2:].count(("list_issues", "cancelled")) == 1
            # The reply that comes too late is nobody's: the next one is its own.
            assert said(await waiting.caller.ask(body(6)))["id"] == 6

    play(story)


def test_whoever_hangs_up_meanwhile_leaves_one_record(own: Valkey) -> None:
    async def story() -> None:
        async with far(own) as both:
            headers = routing("tools/call", "list_issues")
            for number in range(4):
                await both.ask(body(number, _meta=ENVELOPE), headers=headers)
            house = both.houses[0]
            count = len(house.records())
            own.pause()
            caller = await house.connect()
            caller.send(body(5, _meta=ENVELOPE), headers)
            await asyncio.sleep(0.05)
            caller.client.close()

            async def recorded() -> bool:
                return len(house.records()) > count

            await until(recorded)
            own.resume()
            assert house.records()[count:] == [("list_issues", "cancelled")]

    play(story)


def test_other_rules_meanwhile_leave_the_call_as_it_began(own: Valkey) -> None:
    async def story() -> None:
        async with far(own) as both:
            await known(both)
            async with pending(both, own) as waiting:
                both.rule()

            assert said(await waiting.reading)["id"] == 5

    play(story)


def test_what_is_forgotten_meanwhile_is_shown_to_nobody_afterwards(own: Valkey) -> None:
    async def story() -> None:
        async with far(own) as both:
            await known(both)
            async with pending(both, own) as waiting:
                purging = asyncio.ensure_future(cache(waiting.house).purge(TAG))
                await asyncio.sleep(0.05)
                assert not purging.done()
            await purging
            await waiting.reading  # it was asked for before

            found = said(await waiting.caller.ask(body(6)))

            assert found["result"]["_meta"]["torhaus/cache"]["hit"] is False

    play(story)


# -- the server is slow, gone, and back -----------------------------------------------------------


def test_a_server_that_says_nothing_is_waited_for_once(own: Valkey) -> None:
    async def story() -> None:
        async with far(own, timeout=0.3) as both:
            before = await known(both)
            house = both.houses[0]
            caller = await house.connect()
            await caller.begin()
            own.pause()
            misses = cache(house).stats().misses

            answer = await caller.ask(body(5))

            own.resume()
            assert said(answer)["result"]["_meta"]["torhaus/cache"]["hit"] is False
            assert cache(house).stats().misses == misses + 1
            assert both.taken == before

    play(story)


def test_without_the_server_calls_are_read_until_it_is_back(own: Valkey) -> None:
    async def story() -> None:
        async with far(own) as both:
            before = await known(both)
            own.kill()

            async def away() -> bool:
                return not cache(both.houses[0]).elsewhere(b"x")

            await until(away)
            assert "result" in said(await both.ask(body(5)))
            assert both.taken == before
            own.start()

            async def taken() -> bool:
                await both.ask(body(6))
                return both.taken > before

            await until(taken)

    play(story)


# -- reads and writes through two gateways --------------------------------------------------------


class Truth:
    """An upstream whose answer is a number that writes count up."""

    def __init__(self) -> None:
        self.now = self.told = 0

    async def script(self, ask: Ask, sink: Sink) -> Answer:
        if ask.method != "tools/call":
            return await counting(ask, sink)
        await asyncio.sleep(0)
        return text(f"{self.now}")


async def reader(truth: Truth, caller: Caller, left: Callable[[], bool]) -> None:
    while left():
        least = truth.told
        found = said(await caller.ask(body()))["result"]["content"][0]["text"]
        assert int(found) >= least, "an answer from before an answered write"


async def writer(truth: Truth, caches: list[RedisCache], left: Callable[[], bool]) -> None:
    dice = random.Random(3)
    while left():
        truth.now += 1
        written = truth.now
        await dice.choice(caches).purge(TAG)
        truth.told = max(truth.told, written)
        await asyncio.sleep(dice.random() * 0.02)


def test_no_recognised_call_shows_what_a_write_has_changed(server: Valkey) -> None:
    async def story() -> None:
        truth, rounds = Truth(), iter(range(3000))
        async with gateways(alone(server, timeout=5.0), 2) as pair:
            kept = Caching(other=CacheRule(ttl=60.0))
            worlds = [World(github(caching=kept)).knows_the_tools() for _ in pair]
            for world, shared in zip(worlds, pair, strict=True):
                answering_from(world, shared.cache)
                world.upstream.script = truth.script
            recalls = [watched(world, 100) for world in worlds]
            async with open_house(worlds[0]) as one, open_house(worlds[1]) as two:
                callers = [await house.connect() for house in (one, two) for _ in range(4)]
                for caller in callers:
                    await caller.begin()

                def left() -> bool:
                    return next(rounds, None) is not None

                caches = [shared.cache for shared in pair]
                await asyncio.gather(
                    *(reader(truth, caller, left) for caller in callers),
                    *(writer(truth, caches, left) for _ in range(2)),
                )

        assert truth.now > 20
        assert all(recall.taken > 100 for recall in recalls)

    play(story)


def test_the_write_of_one_gateway_is_heard_by_the_other(server: Valkey) -> None:
    async def story() -> None:
        async with far(server) as both:
            await known(both)
            house = both.houses[0]
            async with gateways(cache(house)._fleet.settings) as (other,):
                await other.cache.purge(TAG)

            caller = await house.connect()
            await caller.begin()
            found = said(await caller.ask(body()))

            assert found["result"]["_meta"]["torhaus/cache"]["hit"] is False

    play(story)
