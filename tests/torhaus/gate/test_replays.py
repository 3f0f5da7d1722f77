"""Streams of requests that are resumed: their caller may have lost the right to make them."""

import asyncio

import msgspec
import pytest

from tests.torhaus.cast import ALICE, World, person, request, run, settled
from tests.torhaus.gate.streams import Stream, detached, listening
from tests.torhaus.scripted import late, note, text
from tests.torhaus.witnesses import Window
from torhaus.gate.replays import About, about, about_call, lost, withheld
from torhaus.mcp.message import CallerError
from torhaus.model.people import Principal
from torhaus.model.session import Session
from torhaus.model.stops import Stop, StopKind
from torhaus.policy.scopes import permissions, scoped

READER = person("alice", "developer", "github.read", server="github")
WRITER = person("alice", "developer", "github:issues:write", server="github")
NOTHING = person("alice", "guest")
CALL = About(b"1", "tools/call", "list_issues")
STOP = Stop(
    id="s1",
    kind=StopKind.TOOL,
    target="github/list_issues",
    reason="leak 47",
    created=0.0,
    created_by="dana@example.org",
)


def known(world: World, who: Principal) -> None:
    """The rules know Alice so from now on."""
    world.rules = msgspec.structs.replace(world.rules, principals={ALICE.id: who})


def resumed(
    world: World, session: Session, front: Window, about: About | None = CALL
) -> "asyncio.Task[None]":
    last = world.talk.seals(session).event("e1", about)
    return listening(world, session, front, last)


def test_who_may_make_the_request_hears_the_answer_again():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        known(world, READER)
        task = resumed(world, session, front)

        (await stream.opened()).notice(late(b"1", text("again"), event="e2"))
        stream.end()
        await task

        assert front.messages()[0]["result"]["content"][0]["text"] == "again"
        again = world.talk.seals(session).open_event(front.events[0][1] or "")
        assert (again.id, again.request) == ("e2", CALL)  # and so on for the next time

    run(story())


@pytest.mark.parametrize("who", [WRITER, NOTHING, scoped(READER, permissions(["github:admin"]))])
def test_who_has_lost_the_right_to_the_tool_hears_why_and_no_server_is_asked(who: Principal):
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session = world.session()
        known(world, who)

        await resumed(world, session, front)

        (answer,) = front.messages()
        assert answer["id"] == 1
        assert answer["result"]["isError"] is True
        said = answer["result"]["content"][0]["text"]
        assert said == (
            "You may not use list_issues of github any more. "
            "What this request began may have been done."
        )
        assert world.upstream.listening is None

    run(story())


def test_a_call_that_waited_for_its_stream_is_recorded_before_its_caller_hears_why():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session = world.session()
        await detached(world, session)
        known(world, NOTHING)
        world.ledger.hold()
        task = resumed(world, session, front)
        await settled()
        assert front.events == []

        world.ledger.release()
        await task

        assert world.ledger.statuses() == ["cancelled"]
        assert world.gate.parked == {}
        assert "any more" in front.messages()[0]["result"]["content"][0]["text"]

    run(story())


def test_without_its_record_not_even_the_reason_leaves():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session = world.session()
        await detached(world, session)
        known(world, NOTHING)
        world.ledger.refuses = True

        await resumed(world, session, front)

        assert front.events == []

    run(story())


@pytest.mark.parametrize("parked", [True, False])
def test_a_right_that_goes_while_the_stream_is_open_counts_too(parked: bool):
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        known(world, READER)
        if parked:
            await detached(world, session)
        task = resumed(world, session, front)
        sink = await stream.opened()
        sink.notice(note("notifications/progress", {"progressToken": 1, "progress": 1}))
        known(world, NOTHING)

        sink.notice(note("notifications/progress", {"progressToken": 1, "progress": 2}))
        sink.notice(late(b"1", text("secret"), event="e2"))
        stream.end()
        await task

        progress, answer = front.messages()
        assert progress["params"]["progress"] == 1
        assert "any more" in answer["result"]["content"][0]["text"]
        assert b"secret" not in b"".join(each[0] for each in front.events)
        assert world.ledger.statuses() == (["success"] if parked else [])

    run(story())


def test_the_sessions_own_stream_is_nobodys_request():
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()
        session, stream = world.session(), Stream(world)
        known(world, WRITER)
        task = resumed(world, session, front, None)

        (await stream.opened()).notice(note("notifications/message", {"data": "x"}))
        stream.end()
        await task

        assert len(front.messages()) == 1

    run(story())


def test_an_event_id_that_says_something_else_is_none():
    async def story() -> None:
        world = World()
        session = world.session()
        seals = world.talk.seals(session)
        old = seals._sealer.seal(b"e1", seals._events, world.clock() + 60)

        with pytest.raises(CallerError, match="open a stream without it"):
            await listening(world, session, Window(), old)

    run(story())


@pytest.mark.parametrize(
    ("who", "method", "name", "stays"),
    [
        (READER, "tools/call", "list_issues", True),
        (READER, "tools/call", "create_issue", False),
        (WRITER, "tools/call", "create_issue", True),
        (READER, "resources/read", "", True),
        (WRITER, "resources/read", "", False),
        (READER, "tools/list", "", True),
        (NOTHING, "tools/list", "", False),
    ],
)
def test_what_may_still_be_asked(who: Principal, method: str, name: str, stays: bool):
    world = World()

    why = lost(who, world.server, About(b"1", method, name), {}, world.clock())

    assert (why is None) is stays


def test_what_is_stopped_says_why():
    world = World()
    server = msgspec.structs.replace(world.server, stops=(STOP,))

    assert "leak 47" in (lost(READER, server, CALL, {}, world.clock()) or "")
    other = About(b"1", "tools/call", "get_issue")
    assert lost(READER, server, other, {}, world.clock()) is None


def test_a_request_is_named_by_its_method_and_tool():
    assert about(request("tools/call", {"name": "list_issues"})) == CALL
    assert about(request("resources/read", {"uri": "x"}, id="r")) == About(b'"r"', "resources/read")
    assert about(request("tools/call", {})) == About(b"1", "tools/call")


def test_in_the_place_of_an_answer_stands_why_there_is_none():
    told = withheld(CALL, "Stopped.")
    assert told.result is not None
    assert b"Stopped. What this request began may have been done." in told.result
    error = withheld(About(b"1", "resources/read"), "Stopped.").error
    assert error is not None


def test_a_call_is_named_as_its_request_was():
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        await detached(world, session)
        (parked,) = world.gate.parked.values()

        assert about_call(b"1", parked.call) == CALL

    run(story())
