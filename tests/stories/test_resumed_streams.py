"""Calls whose answer comes on another stream."""

from collections.abc import Callable

import pytest

from tests.torhaus.cast import BOB, DANA, World, run, settled
from tests.torhaus.gate.streams import Stream, detached, listening
from tests.torhaus.scripted import TOOLS, always, late, listing, note, text
from tests.torhaus.witnesses import Window
from torhaus.gate.gate import PARKED_FOR
from torhaus.gate.replays import About
from torhaus.model.outcome import Answer
from torhaus.model.ports import Detached
from torhaus.model.session import Session

# -- parked calls ---------------------------------------------------------------------------------


@pytest.mark.proves("streams that can be resumed", client="legacy", server="legacy")
def test_a_parked_call_ends_with_its_answer_on_the_resumed_stream():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        assert world.ledger.noted == []

        task = listening(world, session, front)
        (await stream.opened()).notice(late(b"1", text("at last"), event="e9"))
        stream.end()
        await task

        assert world.ledger.statuses() == ["success"]
        assert front.messages()[0]["id"] == 1
        assert front.messages()[0]["result"]["content"][0]["text"] == "at last"
        assert world.talk.seals(session).open_event(front.events[0][1] or "").id == "e9"
        assert world.gate.parked == {}

    run(story())


def test_its_record_is_durable_before_the_answer_leaves_and_order_is_kept():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        world.ledger.hold()
        task = listening(world, session, front)
        sink = await stream.opened()

        sink.notice(note("notifications/message", {"n": 1}))
        sink.notice(late(b"1", text("at last")))
        sink.notice(note("notifications/message", {"n": 2}))
        await settled()
        assert len(front.events) == 1
        world.ledger.release()
        stream.end()
        await task

        shown = [each.get("params", {}).get("n", "answer") for each in front.messages()]
        assert shown == [1, "answer", 2]

    run(story())


def test_all_answers_leave_before_the_stream_ends():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        world.upstream.fails(Detached("to be resumed"))
        for number in (1, 2, 3):
            with pytest.raises(Detached):
                await world.admit(world.tool("list_issues", session=session, id=number))
        task = listening(world, session, front)
        sink = await stream.opened()
        world.ledger.hold()
        for number in (1, 2, 3):
            sink.notice(late(b"%d" % number, text(str(number))))
        stream.end()

        while not task.done():
            await settled()
            world.ledger.release()
            world.ledger.hold()
        await task

        assert [each["id"] for each in front.messages()] == [1, 2, 3]
        assert world.ledger.statuses() == ["success"] * 3

    run(story())


def test_an_answer_whose_record_is_lost_stays_here():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        world.ledger.hold()
        task = listening(world, session, front)
        sink = await stream.opened()
        sink.notice(late(b"1", text("unrecorded")))
        sink.notice(note("notifications/message", {}))

        await settled()
        world.ledger.lose()
        stream.end()
        await task

        assert [each.get("method") for each in front.messages()] == ["notifications/message"]

    run(story())


def test_an_answer_that_the_ledger_refuses_at_once_stays_here():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        world.ledger.refuses = True
        task = listening(world, session, front)

        (await stream.opened()).notice(late(b"1", text("unrecorded")))
        stream.end()
        await task

        assert front.events == []

    run(story())


def test_a_list_on_a_resumed_stream_is_filtered_like_any_other():
    async def story() -> None:
        world, front = World(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session, "tools/list")
        task = listening(world, session, front)

        (await stream.opened()).notice(late(b"1", listing(*TOOLS)))
        stream.end()
        await task

        (answer,) = front.messages()
        assert [tool["name"] for tool in answer["result"]["tools"]] == ["list_issues"]

    run(story())


@pytest.mark.parametrize("held", [False, True])
def test_a_list_that_cannot_be_read_is_an_error_on_a_resumed_stream_too(held: bool):
    async def story() -> None:
        world, front = World(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session, "tools/list")
        if held:
            world.ledger.hold()
        task = listening(world, session, front)

        (await stream.opened()).notice(late(b"1", Answer(result=b'{"tools":["create_issue"]}')))
        await settled()
        world.ledger.release()
        stream.end()
        await task

        (answer,) = front.messages()
        assert answer["id"] == 1
        assert answer["error"]["code"] == 1502
        assert world.ledger.statuses() == ["error"]

    run(story())


def test_an_error_on_a_resumed_stream_ends_its_call():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        task = listening(world, session, front)

        (await stream.opened()).notice(late(b"1", Answer(error=b'{"code":-1,"message":"no"}')))
        stream.end()
        await task

        assert front.messages()[0]["error"] == {"code": -1, "message": "no"}
        assert world.ledger.statuses() == ["error"]

    run(story())


def test_an_error_without_an_id_ends_the_call_whose_stream_it_is_on():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        last = world.talk.seals(session).event("e1", About(b"1", "tools/call", "list_issues"))
        task = listening(world, session, front, last)

        (await stream.opened()).notice(late(b"null", Answer(error=b'{"code":-1,"message":"no"}')))
        stream.end()
        await task

        (answer,) = front.messages()
        assert (answer["id"], answer["error"]) == (1, {"code": -1, "message": "no"})
        assert world.ledger.statuses() == ["error"]

    run(story())


@pytest.mark.parametrize("request_id", [None, b"1"], ids=["none's", "another's"])
def test_an_answer_that_nobody_waits_for_stays_here(request_id: bytes | None):
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        await detached(world, session)
        about = None if request_id is None else About(request_id, "tools/call", "list_issues")
        last = world.talk.seals(session).event("e1", about)
        task = listening(world, session, front, last)

        (await stream.opened()).notice(late(b"77", text("of somebody else")))
        stream.end()
        await task

        assert front.events == []
        assert world.ledger.noted == []  # the call is still to be resumed

    run(story())


def test_an_answer_to_a_call_still_under_way_does_not_overtake_its_record():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        held = world.upstream.waits()
        call = world.begin(world.tool("list_issues", session=session))
        await held.came()
        task = listening(world, session, front)

        (await stream.opened()).notice(late(b"1", text("on the wrong stream")))
        stream.end()
        await task
        held.answer(text("done"))
        await call

        assert front.events == []
        assert world.ledger.statuses() == ["success"]

    run(story())


def time_passes(world: World, session: Session) -> None:
    world.gate.expire(world.clock() + PARKED_FOR - 1)
    assert world.ledger.noted == []
    world.gate.expire(world.clock() + PARKED_FOR)


def the_session_is_swept(world: World, session: Session) -> None:
    world.gate.abandon(session)


@pytest.mark.parametrize("how", [time_passes, the_session_is_swept])
def test_a_parked_call_that_nobody_resumes_leaves_its_record(
    how: Callable[[World, Session], None],
):
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        await detached(world, session)
        await detached(world, world.session(DANA))
        world.gate.abandon(world.session(BOB))

        world.gate.parked.pop(next(key for key in world.gate.parked if key[0] != session.jti))
        how(world, session)

        assert world.ledger.statuses() == ["cancelled"]
        assert world.gate.parked == {}

    run(story())


@pytest.mark.parametrize("how", [time_passes, the_session_is_swept])
def test_housekeeping_goes_on_when_the_ledger_is_broken(how: Callable[[World, Session], None]):
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        await detached(world, session)
        world.ledger.refuses = True

        how(world, session)

        assert world.gate.parked == {}

    run(story())


def test_an_id_used_again_while_its_call_is_parked_leaves_two_records():
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        await detached(world, session)

        world.upstream.script = always(text("second"))
        await world.admit(world.tool("list_issues", session=session))
        await detached(world, session)
        world.gate.abandon(session)

        assert sorted(world.ledger.statuses()) == ["cancelled", "cancelled", "success"]

    run(story())
