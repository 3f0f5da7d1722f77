import asyncio
import json

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, DANA, World, github, keeping, person, run, settled
from tests.torhaus.gate.phased import phases
from tests.torhaus.gate.streams import Stream, detached, listening
from tests.torhaus.scripted import note, text
from tests.torhaus.witnesses import Window
from torhaus.mcp.message import CallerError, Notification, Response, encode
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, NoStream, Sink, UpstreamError
from torhaus.model.session import Session


def cancelled(request_id: object) -> Notification:
    params = {"requestId": request_id}
    return Notification("notifications/cancelled", params, encode(params))


async def notify(world: World, session: Session, message: Notification) -> None:
    await world.talk.notify(world.server, session, session.principal, message)


# -- notifications --------------------------------------------------------------------------------


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
        world = World(github(caching=keeping(60.0))).knows_the_tools()
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


def test_a_cancelled_call_that_nobody_else_waits_for_is_called_off_at_the_server():
    async def story() -> None:
        world = World(github(caching=keeping(60.0))).knows_the_tools()
        session = world.session()
        held = world.upstream.waits()
        task = world.begin(world.tool("list_issues", session=session))
        await held.came()

        await notify(world, session, cancelled(1))
        await asyncio.wait([task])
        await settled()

        assert len(world.upstream.posted) == 1
        assert world.upstream.cancelled == 1

    run(story())


# -- answers to a server's questions --------------------------------------------------------------


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


# -- listening ------------------------------------------------------------------------------------


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


@pytest.mark.parametrize("permission", ["github:resources:read", "github:issues:read"])
def test_news_of_resources_reach_only_who_may_still_read_some(permission: str):
    async def story() -> None:
        world, front = World(), Window()
        session, stream = world.session(), Stream(world)
        now = person("alice", "developer", permission)
        task = listening(world, session, front)
        sink = await stream.opened()
        world.rules = msgspec.structs.replace(world.rules, principals={now.id: now})

        sink.notice(note("notifications/resources/updated", {"uri": "file:///plan"}))
        sink.notice(note("notifications/resources/list_changed", {}))
        stream.end()
        await task

        told = [each["method"].rpartition("/")[2] for each in front.messages()]
        readable = permission == "github:resources:read"
        assert told == (["updated", "list_changed"] if readable else ["list_changed"])

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


# -- the end --------------------------------------------------------------------------------------


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


# -- what the protocol does not know --------------------------------------------------------------

UNKNOWN = Notification("notifications/com.example/delete", {"x": 1}, b'{"x":1}')


async def tell(world: World, session: Session, by: Principal = DANA) -> None:
    await world.talk.told(world.server, session, by, "192.0.2.7", UNKNOWN, "key:adm_1")


def test_an_unknown_notification_leaves_an_intent_before_it_goes():
    async def story() -> None:
        world = World()
        world.ledger.hold()
        task = asyncio.ensure_future(tell(world, world.session(DANA)))
        await settled()
        assert world.upstream.posted == []

        world.ledger.release()
        await task

        assert len(world.upstream.posted) == 1
        assert phases(world) == [
            ("intent", UNKNOWN.method, "started"),
            ("outcome", UNKNOWN.method, "success"),
        ]
        assert {each.credential for each in world.ledger.noted} == {"key:adm_1"}

    run(story())


def test_without_a_record_an_unknown_notification_does_not_go():
    async def story() -> None:
        world = World()
        world.ledger.refuses = True

        with pytest.raises(LedgerError):
            await tell(world, world.session(DANA))

        assert world.upstream.posted == []

    run(story())


def test_who_may_not_do_anything_at_all_tells_a_server_nothing_unknown():
    async def story() -> None:
        world = World()

        with pytest.raises(CallerError):
            await tell(world, world.session(ALICE), by=ALICE)

        assert world.upstream.posted == []
        assert world.ledger.intents == []

    run(story())


def test_a_server_that_does_not_take_it_is_the_outcome():
    async def story() -> None:
        world = World()
        world.upstream.refuses_posts = UpstreamError("it is down")

        await tell(world, world.session(DANA))

        assert phases(world)[1:] == [("outcome", UNKNOWN.method, "error")]

    run(story())
