import json

import msgspec
import pytest

from tests.torhaus.cast import ALICE, BOB, World, run, settled
from tests.torhaus.scripted import late, note, text
from tests.torhaus.witnesses import Window
from torhaus.gate.relay import EVENT_LIFETIME, REQUEST_LIFETIME, Relay
from torhaus.mcp.message import Request
from torhaus.mcp.seal import SealError
from torhaus.mcp.versions import LOG_LEVEL_KEY
from torhaus.model.ports import Notice
from torhaus.model.session import Session


def relay(world: World, front: Window, session: Session | None) -> Relay:
    return Relay(front, world.talk, world.server, ALICE.id, session)


def test_a_notification_passes_as_it_is():
    world, front = World(), Window()
    progress = note("notifications/progress", {"progressToken": 1, "progress": 0.5, "x": "\u00e9"})

    relay(world, front, None).notice(progress)

    assert front.events == [(progress.body, None, None)]


def test_a_stateless_request_hears_what_it_asked_for():
    world, front = World(), Window()
    there = relay(world, front, None)
    there.request = Request(b"1", "tools/call", {"_meta": {LOG_LEVEL_KEY: "error"}}, b"")
    quiet = note("notifications/message", {"level": "info", "data": "x"})
    loud = note("notifications/message", {"level": "error", "data": "x"})
    steps = [note("notifications/progress", {"progressToken": 1, "progress": n}) for n in (2, 1)]

    for each in (quiet, loud, *steps):
        there.notice(each)

    assert [data for data, *_ in front.events] == [loud.body, steps[0].body]


def test_a_session_at_one_server_hears_what_comes():
    world, front = World(), Window()
    there = relay(world, front, world.session())
    there.request = Request(b"1", "tools/call", {}, b"")

    there.notice(note("notifications/message", {"level": "debug", "data": "x"}))

    assert len(front.events) == 1


def test_a_question_that_only_the_caller_can_answer_ties_the_call_to_him():
    world, front = World(), Window()
    there = relay(world, front, world.session())
    question = note("roots/list", {}, id="up-1")

    there.notice(question)
    assert not front.tied
    there.notice(msgspec.structs.replace(question, tied=True))
    assert front.tied


def test_event_ids_cross_the_gate_sealed_and_bound_to_their_session():
    world, front = World(), Window()
    session = world.session()

    relay(world, front, session).notice(note("notifications/message", {}, event="ev-7"))

    ((_, event_id, _),) = front.events
    assert event_id is not None
    assert "ev-7" not in event_id
    assert world.talk.seals(session).open_event(event_id).id == "ev-7"
    for other in (world.session(), world.session(BOB)):
        with pytest.raises(SealError):
            world.talk.seals(other).open_event(event_id)
    world.clock.turn(EVENT_LIFETIME)
    with pytest.raises(SealError):
        world.talk.seals(session).open_event(event_id)


def test_a_servers_request_crosses_under_an_id_bound_to_its_session():
    world, front = World(), Window()
    session = world.session()

    relay(world, front, session).notice(note("sampling/createMessage", {"maxTokens": 5}, id="up-1"))

    (message,) = front.messages()
    assert message["params"] == {"maxTokens": 5}
    assert message["method"] == "sampling/createMessage"
    assert world.talk.seals(session).open_request(message["id"]) == b'"up-1"'
    with pytest.raises(SealError):
        world.talk.seals(world.session()).open_request(message["id"])
    with pytest.raises(SealError):
        world.talk.seals(session).open_event(message["id"][3:])
    world.clock.turn(REQUEST_LIFETIME)
    with pytest.raises(SealError):
        world.talk.seals(session).open_request(message["id"])


@pytest.mark.parametrize("front_id", [7, "7", "", "th.", "th.x", "up-1"])
def test_an_id_that_is_not_ours_opens_nothing(front_id: str | int):
    world = World()

    with pytest.raises(SealError):
        world.talk.seals(world.session()).open_request(front_id)


def test_a_server_that_calls_its_request_off_names_it_as_the_client_knows_it():
    world, front = World(), Window()
    sink = relay(world, front, world.session())
    sink.notice(note("roots/list", id=7))
    sink.notice(note("elicitation/create", {}, id="7"))

    sink.notice(note("notifications/cancelled", {"requestId": "7", "reason": "late"}, event="e"))

    asked, other, called_off = front.messages()
    assert called_off["params"] == {"requestId": other["id"], "reason": "late"}
    assert asked["id"] != other["id"]
    assert front.events[-1][1] is not None


@pytest.mark.parametrize("params", [{"requestId": 9}, {}, None, {"requestId": {"a": 1}}])
def test_a_cancellation_of_anything_else_passes_as_it_is(params: object):
    world, front = World(), Window()
    sink = relay(world, front, world.session())
    sink.notice(note("roots/list", id=7))
    cancelled = note("notifications/cancelled", params)

    sink.notice(cancelled)

    assert front.events[-1][0] == cancelled.body


def test_what_a_server_asks_is_not_remembered_without_end():
    world, front = World(), Window()
    sink = relay(world, front, world.session())

    for number in range(1000):
        sink.notice(note("roots/list", id=number))
    sink.notice(note("notifications/cancelled", {"requestId": 999}))

    messages = front.messages()
    assert messages[-1]["params"]["requestId"] == messages[-2]["id"]
    assert len(sink._asked or ()) <= 256


def test_a_priming_event_passes_with_its_retry():
    world, front = World(), Window()
    session = world.session()

    relay(world, front, session).notice(Notice(body=b"", event_id="e1", retry=500))

    ((data, event_id, retry),) = front.events
    assert (data, retry) == (b"", 500)
    assert world.talk.seals(session).open_event(event_id or "").id == "e1"


def test_a_modern_caller_gets_neither_requests_nor_event_ids():
    world, front = World(), Window()
    sink = relay(world, front, None)

    sink.notice(note("sampling/createMessage", {}, id=1))
    sink.notice(Notice(body=b"", event_id="e1", retry=500))
    sink.notice(late(b"1", text("stray")))
    sink.notice(note("notifications/message", {"data": 1}, event="e2"))

    assert [(json.loads(data)["method"], event) for data, event, _ in front.events] == [
        ("notifications/message", None)
    ]


def test_a_servers_ping_is_answered_by_the_gate():
    async def story() -> None:
        world, front = World(), Window()

        relay(world, front, world.session()).notice(note("ping", id="p-1"))
        await settled()

        assert front.events == []
        assert world.upstream.posted == [b'{"jsonrpc":"2.0","id":"p-1","result":{}}']

    run(story())


@pytest.mark.parametrize("legacy", [True, False])
def test_an_announced_change_of_tools_is_passed_on_and_taken_to_heart(legacy: bool):
    async def story() -> None:
        world, front = World().knows_the_tools(), Window()

        relay(world, front, world.session() if legacy else None).notice(
            note("notifications/tools/list_changed")
        )

        assert len(front.events) == 1
        assert world.gate.catalogue.find(world.server, "list_issues", world.clock()) is None
        await settled()

    run(story())


def test_the_stream_and_its_brake_are_the_callers():
    world, front = World(), Window()
    sink = relay(world, front, None)
    brakes: list[bool] = []

    sink.opened()
    sink.throttle = brakes.append
    assert front.throttle is not None
    front.throttle(True)

    assert front.open
    assert sink.throttle is front.throttle
    assert brakes == [True]
