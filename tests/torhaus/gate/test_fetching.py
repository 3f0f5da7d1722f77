"""Where an allowed call's answer comes from."""

import asyncio
import json
from contextlib import suppress

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, NOW, World, github, run, settled
from tests.torhaus.gate.fetched import (
    LIST,
    NEW,
    OLD_MEANWHILE,
    OLD_ON_ERROR,
    ask,
    mark,
    said,
    served,
    world,
    write,
)
from tests.torhaus.scripted import note, text
from torhaus.gate.fetching import Fetching
from torhaus.model.caching import CacheRule, Scope, Selector
from torhaus.model.outcome import Answered, Failed, Served
from torhaus.model.ports import Detached, UpstreamError

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
