"""Calls that are recognised while their answers are in another process: a real Valkey."""

import random

import pytest

from tests.torhaus.cast import DAY
from tests.torhaus.edge.doors import ENVELOPE, House, routing, said
from tests.torhaus.edge.far import NOTHING, far, forget
from tests.torhaus.edge.twins import body, known
from tests.torhaus.store.redis.valkeys import Valkey, play
from torhaus.model.caching import CacheRule
from torhaus.model.limits import LimitRule, Limits, Per
from torhaus.model.servers import Window


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
