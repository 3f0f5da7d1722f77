"""What changes while calls are known."""

import asyncio

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DAY, run
from tests.torhaus.edge.doors import House, said
from tests.torhaus.edge.twins import body, known, purge, twins
from tests.torhaus.scripted import TOOLS, listing
from torhaus.identity.keys import digest
from torhaus.model.caching import CacheRule
from torhaus.model.people import Phase


@pytest.mark.parametrize("seconds", [59.0, 61.0, DAY])
def test_time_passes(seconds: float) -> None:
    async def story() -> None:
        async with twins() as both:
            await known(both)
            both.both(lambda house: house.world.clock.turn(seconds))

            answer = await both.ask(body())

            mark = said(answer)["result"]["_meta"]["torhaus/cache"]
            assert mark["hit"] is (seconds < 60)

    run(story())


def test_an_answer_that_was_forgotten_is_fetched_again() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            both.both(purge)

            await both.ask(body())

            assert both.taken == before
            asked = both.houses[0].world.upstream.calls()
            assert sum(each.method == "tools/call" for each in asked) == 2

    run(story())


def test_access_that_has_ended_is_refused() -> None:
    async def story() -> None:
        async with twins(CacheRule(ttl=9 * DAY)) as both:
            before = await known(both, by="carol")
            both.both(lambda house: house.world.clock.turn(DAY))

            answer = await both.ask(body(), by="carol")

            assert both.taken == before
            assert said(answer)["result"]["isError"] is True

    run(story())


def test_other_rules_are_asked_at_once() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            less = msgspec.structs.replace(ALICE, phases=(Phase(roles=("guest",)),))
            keys = {**both.houses[0].rules.keys, digest("alice-key"): less}
            both.rule(keys=keys)

            answer = await both.ask(body())

            assert both.taken == before
            assert said(answer)["result"]["isError"] is True

    run(story())


def test_a_key_that_is_gone_opens_nothing() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            both.rule(keys={digest("alice-key"): BOB})

            answer = await both.ask(body())

            assert answer.status == 404  # the session is not Bob's
            assert both.taken == before

    run(story())


def test_a_session_that_was_ended_stays_ended() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            both.both(lambda house: [*map(house.world.sessions.end, house.world.sessions.all())])

            answer = await both.ask(body())

            assert answer.status == 404
            assert both.taken == before

    run(story())


@pytest.mark.parametrize(
    "hints", [{"readOnlyHint": False}, {"destructiveHint": True}, {"readOnlyHint": True}]
)
def test_a_tool_that_changed_is_judged_anew(hints: dict[str, bool]) -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            changed = listing({**TOOLS[0], "annotations": hints}, TOOLS[1]).result or b""
            both.both(
                lambda house: house.world.gate.catalogue.learn(
                    house.world.server, [changed], house.world.clock()
                )
            )

            await both.ask(body())

            assert both.taken == before

    run(story())


def test_a_tool_that_is_listed_no_more_is_looked_for() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            fewer = listing(TOOLS[1]).result or b""
            both.both(
                lambda house: house.world.gate.catalogue.learn(
                    house.world.server, [fewer], house.world.clock()
                )
            )

            await both.ask(body())

            assert both.taken == before
            asked = both.houses[0].world.upstream.asked
            assert sum(each.method == "tools/list" for each in asked) == 1

    run(story())


def test_a_log_that_cannot_be_written_stops_the_call() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)

            def break_it(house: House) -> None:
                house.world.ledger.well = False

            both.both(break_it)
            answer = await both.ask(body())

            assert "audit log" in said(answer)["result"]["content"][0]["text"]
            assert both.taken == before

    run(story())


def test_a_record_that_is_refused_holds_the_answer_back() -> None:
    async def story() -> None:
        async with twins() as both:
            await known(both)

            def refuse(house: House) -> None:
                house.world.ledger.refuses = True

            both.both(refuse)
            answer = await both.ask(body(5))

            assert "audit log" in said(answer)["result"]["content"][0]["text"]
            assert said(answer)["id"] == 5

    run(story())


def test_an_answer_waits_until_its_record_is_durable() -> None:
    async def story() -> None:
        async with twins() as both:
            before = await known(both)
            house = both.houses[0]
            caller = await house.connect()
            await caller.begin()
            house.world.ledger.hold()
            caller.send(body(5))
            reading = asyncio.ensure_future(caller.client.answer())
            await asyncio.sleep(0.05)
            waited = not reading.done()

            house.world.ledger.release()

            assert said(await reading)["id"] == 5
            assert waited
            assert both.taken == before + 1

    run(story())


def test_whoever_calls_off_a_recognised_call_gets_no_answer() -> None:
    async def story() -> None:
        async with twins() as both:
            await known(both)
            house = both.houses[0]
            caller, other = await house.connect(), await house.connect()
            await caller.begin()
            other.session = caller.session
            house.world.ledger.hold()
            caller.send(body(5))
            await asyncio.sleep(0.05)
            told = {"method": "notifications/cancelled", "params": {"requestId": 5}}
            await other.ask({"jsonrpc": "2.0", **told})

            answer = await caller.client.answer()

            assert b'"result"' not in answer.body
            assert [each.operation for each in house.world.ledger.noted].count("list_issues") == 5

    run(story())
