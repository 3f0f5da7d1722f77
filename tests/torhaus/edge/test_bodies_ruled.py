"""Rules of every kind hold for calls that are recognised."""

import random
from datetime import UTC
from ipaddress import ip_network

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DAY, NOW, limited, run
from tests.torhaus.edge.doors import ENVELOPE, routing, said
from tests.torhaus.edge.twins import Twins, body, known, purge, twins
from torhaus.identity.keys import digest
from torhaus.model.access import Effect, Hours, Policy
from torhaus.model.caching import CacheRule, Vary
from torhaus.model.limits import LimitRule, Limits, Pace, Per
from torhaus.model.servers import Window
from torhaus.policy.conditions import compile_condition

TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def test_budgets_that_count_every_answer_are_used_up() -> None:
    async def story() -> None:
        async with twins() as both:
            each = LimitRule(name="each", per=Per.USER, budget=Window(6, 60.0), hits=True)
            both.rule(limits=Limits(rules=(each,)))
            ends = [said(await both.ask(body(number))) for number in range(9)]

            assert ["isError" in each["result"] for each in ends] == [False] * 6 + [True] * 3
            assert both.taken == 6
            both.both(lambda house: house.world.clock.turn(60.0))
            assert "isError" not in said(await both.ask(body()))["result"]

    run(story())


def test_budgets_of_others_are_not_touched() -> None:
    async def story() -> None:
        async with twins() as both:
            theirs = LimitRule(
                name="bob",
                per=Per.KEY,
                budget=Pace(1, 1.0, 1),
                users=frozenset((BOB.email,)),
                hits=True,
            )
            both.rule(limits=Limits(rules=(theirs,)))

            assert await known(both) == 1
            ends = [said(await both.ask(body(n), by="bob")) for n in range(5)]
            assert sum("isError" in each["result"] for each in ends) > 0

    run(story())


def ruled(both: Twins, *policies: Policy) -> None:
    """Policies for Alice alone."""
    for house in both.houses:
        keys = {**house.rules.keys, digest("alice-key"): limited(ALICE, policies=policies)}
        house.rules = msgspec.structs.replace(house.rules, keys=keys)
        house.edge.forget()


def test_masked_answers_are_masked_each_time() -> None:
    async def story() -> None:
        async with twins() as both:
            ruled(both, Policy(name="hide", effect=Effect.REDACT))

            for number in range(5):
                answer = await both.ask(body(number, {"repo": "dana@example.org"}))
                assert "dana@example.org" not in answer.body.decode()

            assert both.taken == 0

    run(story())


def test_office_hours_end_to_the_second() -> None:
    async def story() -> None:
        async with twins(CacheRule(ttl=9 * DAY)) as both:
            second = int(NOW) % 86400
            closed = Hours(zone=UTC, windows=((second + 60, second + 120),))
            ruled(both, Policy(name="closed", effect=Effect.DENY, hours=closed))
            before = await known(both)
            refused = []
            for _ in range(4):
                both.both(lambda house: house.world.clock.turn(40.0))
                refused.append("isError" in said(await both.ask(body()))["result"])

            assert refused == [False, True, False, False]
            assert both.taken == before + 3

    run(story())


def test_addresses_and_clients_are_asked_each_time() -> None:
    async def story() -> None:
        async with twins() as both:
            elsewhere = Policy(
                name="elsewhere", effect=Effect.DENY, networks=(ip_network("203.0.113.0/24"),)
            )
            ruled(both, elsewhere)
            assert await known(both) == 1
            here = Policy(name="here", effect=Effect.DENY, networks=(ip_network("127.0.0.0/8"),))
            ruled(both, here)

            answer = await both.ask(body())

            assert said(answer)["result"]["isError"] is True
            assert both.taken == 1

    run(story())


@pytest.mark.parametrize("vary", list(Vary))
def test_answers_that_vary_are_found_by_what_they_vary_on(vary: Vary) -> None:
    async def story() -> None:
        async with twins(CacheRule(ttl=60.0, vary_on=frozenset((vary,)))) as both:
            assert await known(both) == 1
            assert await known(both, by="bob") >= 1

    run(story())


def test_conditions_on_arguments_are_asked_each_time() -> None:
    async def story() -> None:
        async with twins() as both:
            web = compile_condition('args.repo == "web"')
            ruled(both, Policy(name="web", effect=Effect.DENY, when=web))

            for number in range(5):
                allowed = await both.ask(body(number))
                refused = await both.ask(body(number, {"repo": "web"}))
                assert "isError" not in said(allowed)["result"]
                assert said(refused)["result"]["isError"] is True

            assert both.taken == 2

    run(story())


def test_a_modern_caller_repeats_himself_in_headers() -> None:
    async def story() -> None:
        async with twins() as both:
            headers = routing("tools/call", "list_issues")
            for number in range(5):
                answer = await both.ask(body(number, _meta=ENVELOPE), headers=headers)
                assert said(answer)["id"] == number
            assert both.taken == 2

            other = routing("tools/call", "create_issue")
            wrong = await both.ask(body(9, _meta=ENVELOPE), headers=other)
            none = await both.ask(body(9, _meta=ENVELOPE), headers={})
            method = await both.ask(body(9, _meta=ENVELOPE), headers=routing("tools/list"))
            assert {each.status for each in (wrong, none, method)} == {400}
            assert both.taken == 2

    run(story())


def test_each_call_is_recorded_in_its_own_trace() -> None:
    async def story() -> None:
        async with twins() as both:
            await known(both)
            traces = [TRACE, TRACE.replace("4bf9", "5bf9"), "nonsense", ""]
            for number, parent in enumerate(traces):
                for house in both.houses:
                    caller = await house.connect()
                    await caller.begin()
                    await caller.ask(body(number), {"traceparent": parent})
            both.alike()
            noted = both.houses[0].world.ledger.noted[-7::2]
            assert [each.call.trace[:4] for each in noted] == ["4bf9", "5bf9", "", ""]

    run(story())


def test_a_whole_day_of_repeats_leaves_the_same_records() -> None:
    """Whatever comes in whatever order: what is recognised is what would have been read."""

    async def story() -> None:
        async with twins(CacheRule(ttl=40.0)) as both:
            dice = random.Random(7)
            for number in range(400):
                roll = dice.random()
                if roll < 0.03:
                    both.both(lambda house: house.world.clock.turn(15.0))
                elif roll < 0.05:
                    both.both(purge)
                elif roll < 0.06:
                    both.rule()
                elif roll < 0.08:
                    both.forget_callers()
                arguments = {"repo": dice.choice(["api", "web"])}
                meta = dice.choice([{}, {"_meta": {"progressToken": number}}])
                name = "list_issues" if roll < 0.97 else "create_issue"
                await both.ask(
                    body(number, arguments, name, **meta), by=dice.choice(["alice", "bob"])
                )

            assert both.taken > 200

    run(story())
