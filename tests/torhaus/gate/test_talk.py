import asyncio
import json
from collections.abc import Callable

import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, World, github, run, settled
from tests.torhaus.scripted import TOOLS, always, late, listing, note, text
from tests.torhaus.witnesses import Window
from torhaus.gate.gate import PARKED_FOR
from torhaus.mcp.message import CallerError, Notification, Response, encode
from torhaus.model.outcome import Answer
from torhaus.model.ports import Detached, NoStream, Sink, UpstreamError
from torhaus.model.session import Session


def cancelled(request_id: object) -> Notification:
    params = {"requestId": request_id}
    return Notification("notifications/cancelled", params, encode(params))


async def notify(world: World, session: Session, message: Notification) -> None:
    await world.talk.notify(world.server, session, session.principal, message)


# -- notifications ----------------------------------------------------------------------------


def test_a_clients_notification_reaches_the_server():
    async def story() -> None:
        world = World()
        session = world.session()

        await notify(world, session, Notification("notifications/initialized", {}, b""))

        assert session.initialized
        assert world.upstream.posted == [b'{"jsonrpc":"2.0","method":"notifications/initialized"}']

    run(story())


def test_a_notification_without_a_session_goes_nowhere():
    async def story() -> None:
        world = World()

        await world.talk.notify(world.server, None, ALICE.id, cancelled(1))

        assert world.upstream.posted == []

    run(story())


def test_a_lost_notification_is_no_error_to_the_client():
    async def story() -> None:
        world = World()
        world.upstream.refuses_posts = UpstreamError("down")

        await notify(world, world.session(), Notification("notifications/x", {}, b"{}"))

    run(story())


@pytest.mark.parametrize("request_id", [7, "7"])
def test_a_cancelled_call_ends_once_here_and_is_cancelled_at_the_server(request_id: object):
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        held = world.upstream.waits()
        task = world.begin(world.tool("list_issues", session=session, id=request_id))
        await held.came()

        await notify(world, session, cancelled(request_id))
        await notify(world, session, cancelled(request_id))
        await asyncio.wait([task])

        assert task.cancelled()
        assert world.upstream.cancelled == 1
        assert world.ledger.statuses() == ["cancelled"]
        assert json.loads(world.upstream.posted[0])["params"] == {"requestId": request_id}

    run(story())


@pytest.mark.parametrize("wrong", [8, "7", None, 7.5, [7], {}])
def test_an_unknown_request_id_cancels_nothing(wrong: object):
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        held = world.upstream.waits()
        task = world.begin(world.tool("list_issues", session=session, id=7))
        await held.came()

        await notify(world, session, cancelled(wrong))
        await notify(world, session, Notification("notifications/cancelled", {}, b"{}"))
        await notify(world, world.session(), cancelled(7))
        await settled()
        held.answer(text("done"))
        await task

        assert world.ledger.statuses() == ["success"]

    run(story())


def test_a_call_is_cancelled_at_once_even_if_the_server_takes_no_messages():
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        held = world.upstream.waits()
        task = world.begin(world.tool("list_issues", session=session))
        await held.came()
        world.upstream.refuses_posts = UpstreamError("it does not answer")

        await notify(world, session, cancelled(1))
        await asyncio.wait([task])

        assert world.ledger.statuses() == ["cancelled"]

    run(story())


def test_a_cancelled_call_that_others_wait_for_goes_on_at_the_server():
    async def story() -> None:
        world = World(github(cache_ttl=60.0)).knows_the_tools()
        mine = world.session()
        held = world.upstream.waits()
        first = world.begin(world.tool("list_issues", session=mine))
        second = world.begin(world.tool("list_issues", session=world.session(BOB), by=BOB))
        await held.came()
        await settled()

        await notify(world, mine, cancelled(1))
        await asyncio.wait([first])
        held.answer(text("for Bob"))

        assert await second
        assert world.upstream.posted == []
        assert sorted(world.ledger.statuses()) == ["cancelled", "success"]

    run(story())


# -- answers to a server's questions ----------------------------------------------------------


@pytest.mark.parametrize("member", ["result", "error"])
def test_a_clients_answer_reaches_the_server_under_its_own_id(member: str):
    async def story() -> None:
        world = World()
        session = world.session()
        front_id = world.talk.seals(session).request(b'"up-1"')

        answer = Response(front_id, member, b'{"a":1}')
        await world.talk.answer(world.server, session, ALICE.id, answer)

        (body,) = world.upstream.posted
        assert json.loads(body) == {"jsonrpc": "2.0", "id": "up-1", member: {"a": 1}}

    run(story())


def test_an_answer_to_somebody_elses_question_goes_nowhere():
    async def story() -> None:
        world = World()
        theirs = world.talk.seals(world.session(BOB)).request(b"7")

        for front_id in (theirs, "th.forged", "up-1", 7):
            with pytest.raises(CallerError) as caught:
                await world.talk.answer(
                    world.server, world.session(), ALICE.id, Response(front_id, "result", b"{}")
                )
            assert caught.value.status == 400

        assert world.upstream.posted == []

    run(story())


# -- listening --------------------------------------------------------------------------------


class Stream:
    """A listening stream of the server, spoken to by the story."""

    def __init__(self, world: World) -> None:
        self._opened: asyncio.Future[Sink] = asyncio.get_running_loop().create_future()
        self._end: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        world.upstream.listening = self._listen

    async def _listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        sink.opened()
        self._opened.set_result(sink)
        await self._end

    async def opened(self) -> Sink:
        return await self._opened

    def end(self) -> None:
        self._end.set_result(None)


def listening(
    world: World, session: Session, front: Window, last: str | None = None
) -> "asyncio.Task[None]":
    return asyncio.ensure_future(world.talk.listen(world.server, session, last, front))


async def detached(world: World, session: Session, method: str = "tools/call") -> None:
    """A call whose stream ended before its answer."""
    world.upstream.fails(Detached("to be resumed"))
    if method == "tools/list":
        world.upstream.script = _detach
    with pytest.raises(Detached):
        await world.admit(world.asking(method, {"name": "list_issues"}, session=session))


async def _detach(ask: object, sink: Sink) -> Answer:
    raise Detached("to be resumed")


def test_messages_that_belong_to_no_call_reach_whoever_listens():
    async def story() -> None:
        world, front = World(), Window()
        session, stream = world.session(), Stream(world)
        task = listening(world, session, front)
        sink = await stream.opened()
        assert session.streams == 1

        sink.notice(note("notifications/message", {"data": 1}, event="e1"))
        stream.end()
        await task

        assert front.open
        assert [each["method"] for each in front.messages()] == ["notifications/message"]
        assert session.streams == 0

    run(story())


def test_a_stream_is_resumed_by_the_servers_own_event_id():
    async def story() -> None:
        world = World()
        session = world.session()
        token = world.talk.seals(session).event("up-7")

        await listening(world, session, Window(), token)

        assert world.upstream.resumed == ["up-7"]

    run(story())


def test_an_event_id_of_another_session_resumes_nothing():
    async def story() -> None:
        world = World()
        theirs = world.talk.seals(world.session(BOB)).event("up-7")
        session = world.session()

        for token in (theirs, "up-7", "", "\u2603"):
            with pytest.raises(CallerError) as caught:
                await listening(world, session, Window(), token)
            assert caught.value.status == 400

        assert world.upstream.resumed == []
        assert session.streams == 0

    run(story())


def test_a_server_without_a_stream_says_so():
    async def story() -> None:
        world = World()
        session = world.session()

        async def none(session: Session, last: str | None, sink: Sink) -> None:
            raise NoStream("405")

        world.upstream.listening = none

        with pytest.raises(NoStream):
            await listening(world, session, Window())
        assert session.streams == 0

    run(story())


# -- parked calls -----------------------------------------------------------------------------


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
        assert world.talk.seals(session).open_event(front.events[0][1] or "") == "e9"
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


# -- the end ----------------------------------------------------------------------------------


def test_the_end_of_a_session_ends_all_that_is_in_it():
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        await detached(world, session)
        held = world.upstream.waits()
        task = world.begin(world.tool("list_issues", session=session, id=2))
        await held.came()

        await world.talk.end(world.server, session)
        await asyncio.wait([task])

        assert world.upstream.closed == [session]
        assert task.cancelled()
        assert world.ledger.statuses() == ["cancelled", "cancelled"]
        assert world.sessions.find(session.token, "github", ALICE.id, world.clock()) is None

    run(story())


def test_a_session_ends_even_if_the_ledger_is_broken():
    async def story() -> None:
        world = World().knows_the_tools()
        session = world.session()
        await detached(world, session)
        world.ledger.refuses = True

        await world.talk.end(world.server, session)

        assert world.upstream.closed == [session]

    run(story())
