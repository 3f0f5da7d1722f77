"""What identical calls share, through the gate."""

import asyncio
import json

import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, World, github, keeping, run, settled
from tests.torhaus.scripted import note, text
from tests.torhaus.witnesses import Window as Front
from torhaus.model.outcome import Answer, Answered, Failed
from torhaus.model.ports import Ask, Detached, Sink, UpstreamError
from torhaus.model.servers import Window


def caching(**more: object) -> World:
    return World(github(caching=keeping(60.0), **more)).knows_the_tools()


def said(outcome: object) -> str:
    assert isinstance(outcome, Answered)
    assert outcome.answer.result is not None
    return str(json.loads(outcome.answer.result)["content"][0]["text"])


# -- one call for all -----------------------------------------------------------------------------


def test_identical_calls_at_once_reach_the_server_once_and_are_all_recorded():
    async def story() -> None:
        world = caching(rate_limit=Window(1, 3600.0))
        held = world.upstream.waits()
        tasks = [world.begin(world.tool("list_issues", by=who)) for who in (ALICE, BOB, ALICE)]
        await held.came()
        await settled()

        held.answer(text("once"))
        outcomes = await asyncio.gather(*tasks)

        assert [said(each) for each in outcomes] == ["once"] * 3
        assert len(world.upstream.asked) == 1
        assert [record.result.cached for record in world.ledger.noted].count(True) == 2
        assert len(world.ledger.noted) == 3

    run(story())


def test_a_cancelled_first_caller_does_not_cancel_the_others():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        first, second = (world.begin(world.tool("list_issues", by=who)) for who in (ALICE, BOB))
        await held.came()
        await settled()

        first.cancel()
        await settled()
        held.answer(text("for Bob"))

        assert said(await second) == "for Bob"
        assert first.cancelled()
        assert world.upstream.cancelled == 0
        assert sorted(world.ledger.statuses()) == ["cancelled", "success"]

    run(story())


def test_a_cancelled_joiner_cancels_nobody_else():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        first, second = (world.begin(world.tool("list_issues", by=who)) for who in (ALICE, BOB))
        await held.came()
        await settled()

        second.cancel()
        await settled()
        held.answer(text("for Alice"))

        assert said(await first) == "for Alice"
        assert world.upstream.cancelled == 0

    run(story())


def test_the_call_is_cancelled_when_nobody_waits_any_more():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        tasks = [world.begin(world.tool("list_issues", by=who)) for who in (ALICE, BOB)]
        await held.came()
        await settled()

        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        await settled()

        assert world.upstream.cancelled == 1
        assert world.ledger.statuses() == ["cancelled", "cancelled"]

    run(story())


def test_whoever_comes_while_an_abandoned_call_is_still_ending_begins_a_new_one():
    async def story() -> None:
        world = caching()
        ending = asyncio.get_running_loop().create_future()

        async def slow_to_end(ask: Ask, sink: Sink) -> Answer:
            try:
                await asyncio.get_running_loop().create_future()
            finally:
                await ending
            raise AssertionError

        world.upstream.script = slow_to_end
        first = world.begin(world.tool("list_issues"))
        await settled()
        first.cancel()
        await settled()
        world.upstream.answers(text("fresh"))

        assert said(await world.admit(world.tool("list_issues", by=BOB))) == "fresh"
        ending.set_result(None)
        await asyncio.wait([first])

        assert world.ledger.statuses() == ["cancelled", "success"]

    run(story())


def test_joiners_ask_for_themselves_when_the_first_answer_cannot_be_shared():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        first, second = (world.begin(world.tool("list_issues", by=who)) for who in (ALICE, BOB))
        await held.came()
        await settled()

        held.answer(text("broken", isError=True))
        await settled()
        held.answer(text("works for Bob"))

        assert said(await first) == "broken"
        assert said(await second) == "works for Bob"
        assert len(world.upstream.asked) == 2

    run(story())


@pytest.mark.parametrize("first_leaves", [True, False])
def test_joiners_ask_for_themselves_when_the_first_caller_was_asked_something(first_leaves: bool):
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        first = world.begin(world.tool("list_issues", session=world.session()))
        sink = await held.came()
        second = world.begin(world.tool("list_issues", by=BOB))
        await settled()
        sink.notice(note("sampling/createMessage", {}, id=1))

        if first_leaves:
            first.cancel()
            await settled()
            held.begun.popleft()
        else:
            held.answer(text("Alice's own"))
        await settled()
        held.answer(text("Bob's own"))

        assert said(await second) == "Bob's own"
        assert first.cancelled() or said(await first) == "Alice's own"
        assert len(world.ledger.noted) == 2

    run(story())


def test_joiners_ask_for_themselves_when_the_first_stream_must_be_resumed():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        first = world.begin(world.tool("list_issues", session=world.session()))
        await held.came()
        second = world.begin(world.tool("list_issues", by=BOB, session=world.session(BOB)))
        await settled()

        held.fail(Detached("to be resumed"))
        await settled()
        held.answer(text("Bob's own"))

        assert said(await second) == "Bob's own"
        with pytest.raises(Detached):
            await first

    run(story())


def test_a_failure_is_shared_by_all_who_wait():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        tasks = [world.begin(world.tool("list_issues", by=who)) for who in (ALICE, BOB)]
        await held.came()
        await settled()

        held.fail(UpstreamError("down"))
        outcomes = await asyncio.gather(*tasks)

        assert all(isinstance(each, Failed) for each in outcomes)
        assert world.ledger.statuses() == ["error", "error"]

    run(story())


def test_progress_goes_to_the_first_caller_only():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        fronts = Front(), Front()
        tasks = [world.begin(world.tool("list_issues"), front) for front in fronts]
        sink = await held.came()
        await settled()

        sink.notice(note("notifications/progress", {"progress": 1}))
        held.answer(text("done"))
        await asyncio.gather(*tasks)

        assert [len(front.events) for front in fronts] == [1, 0]

    run(story())


def test_calls_that_write_share_nothing():
    async def story() -> None:
        world = caching()
        held = world.upstream.waits()
        tasks = [world.begin(world.tool("create_issue", {"t": 1}, by=DANA)) for _ in range(2)]
        await held.came()
        await settled()
        assert len(held.begun) == 2
        held.answer(text("1"))
        held.answer(text("2"))

        assert [said(each) for each in await asyncio.gather(*tasks)] == ["1", "2"]

    run(story())
