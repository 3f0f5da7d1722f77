"""What changes while another process is asked for the answer of a recognised call."""

import asyncio
import random
from collections.abc import Callable

from tests.torhaus.cast import DAY, World, github
from tests.torhaus.edge.doors import ENVELOPE, Caller, open_house, routing, said
from tests.torhaus.edge.far import TAG, cache, far, learn, pending
from tests.torhaus.edge.twins import answering_from, body, counting, known, watched
from tests.torhaus.scripted import TOOLS, text
from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play, until
from torhaus.model.caching import CacheRule, Caching
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink
from torhaus.store.redis.cache import RedisCache

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

            def reached() -> list[bool]:
                return [cache(house).elsewhere(b"x") for house in both.houses]

            async def away() -> bool:
                return not any(reached())

            async def back() -> bool:
                return all(reached())

            await until(away)
            assert "result" in said(await both.ask(body(5)))
            assert both.taken == before
            own.start()
            await until(back)  # one house notices before the other

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
