import asyncio
import json
from collections.abc import Callable
from datetime import UTC

import msgspec
import pytest

from tests.torhaus.cast import ALICE, NOW, World, limited, person, run, settled
from tests.torhaus.edge.doors import (
    INITIALIZE,
    events,
    legacy,
    modern,
    open_house,
    routing,
    said,
    tool,
)
from tests.torhaus.scripted import note, text
from torhaus.identity.keys import digest
from torhaus.mcp.clients import CLIENT_KEY
from torhaus.mcp.versions import MODERN
from torhaus.model.access import Effect, Hours, Origin, Policy
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Detached, Sink
from torhaus.model.session import Session

PREFIX = "io.modelcontextprotocol/"


def test_what_comes_before_the_answer_makes_it_a_stream() -> None:
    async def story() -> None:
        world = World().knows_the_tools()

        async def script(ask: Ask, sink: Sink) -> Answer:
            sink.notice(note("notifications/progress", {"progress": 1}))
            return text("done")

        world.upstream.script = script
        async with open_house(world) as house:
            caller = await house.connect()

            answer = await caller.ask(*tool())

            first, last = events(answer.body)
            assert first["method"] == "notifications/progress"
            assert last["result"]["content"][0]["text"] == "done"

    run(story())


def test_the_last_event_of_a_resumable_answer_carries_a_sealed_id() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()

            async def script(ask: Ask, sink: Sink) -> Answer:
                sink.notice(note("notifications/progress", {"progress": 1}, event="e-1"))
                return Answer(result=b"{}", event_id="e-2")

            house.world.upstream.script = script
            answer = await caller.ask(legacy("resources/read", {"uri": "x:y"}))

            ids = [line for line in answer.body.split(b"\n") if line.startswith(b"id: ")]
            assert len(ids) == 2
            assert b"e-1" not in answer.body
            assert b"e-2" not in answer.body

    run(story())


def test_a_session_is_opened_for_the_version_the_server_agreed_to() -> None:
    async def story() -> None:
        world = World()
        world.upstream.answers(Answer(result=b'{"protocolVersion":"2025-03-26"}', session="up-1"))
        async with open_house(world) as house:
            caller = await house.connect()

            await caller.begin()

            (session,) = house.world.sessions.all()
            assert session.version == "2025-03-26"
            assert session.upstream_id == "up-1"
            assert json.loads(session.client_info) == {"name": "c"}
            assert "up-1" not in str(caller.session)

    run(story())


def test_a_refused_initialize_opens_no_session() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect("mallory-key")

            answer = await caller.ask(legacy("initialize", INITIALIZE))

            assert b"mcp-session-id" not in answer.headers
            assert said(answer)["error"]["code"] == 1403
            assert len(house.world.sessions) == 0

    run(story())


def test_hanging_up_cancels_a_stateless_call() -> None:
    async def story() -> None:
        async with open_house() as house:
            held = house.world.upstream.waits()
            caller = await house.connect()
            caller.send(*tool())
            await held.came()

            caller.client.close()
            while not house.records():  # noqa: ASYNC110 -- nothing else tells it
                await asyncio.sleep(0.001)

            assert house.world.upstream.cancelled == 1
            assert house.records() == [("list_issues", "cancelled")]

    run(story())


def test_hanging_up_does_not_cancel_a_call_of_a_session() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()
            held = house.world.upstream.waits()
            caller.send(legacy("tools/call", {"name": "list_issues"}))
            await held.came()

            caller.client.close()
            await asyncio.sleep(0.02)
            held.answer(text("nobody hears it"))
            await settled()

            assert house.world.upstream.cancelled == 0
            assert house.records()[-1] == ("list_issues", "success")

    run(story())


def test_a_notification_cancels_a_call_of_its_session() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller, other = await house.connect(), await house.connect()
            await caller.begin()
            other.session = caller.session
            held = house.world.upstream.waits()
            caller.send(legacy("tools/call", {"name": "list_issues"}, id="x"))
            await held.came()

            cancel = {"method": "notifications/cancelled", "params": {"requestId": "x"}}
            told = await other.ask({"jsonrpc": "2.0", **cancel})

            assert told.status == 202
            assert b"result" not in (await caller.client.answer()).body
            assert house.records()[-1] == ("list_issues", "cancelled")
            assert all(not each.running for each in house.world.sessions.all())

    run(story())


def test_a_listening_stream_that_we_end_says_so() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            acknowledged = asyncio.Event()

            async def script(ask: Ask, sink: Sink) -> Answer:
                sink.notice(note("notifications/subscriptions/acknowledged", {}))
                acknowledged.set()
                return await asyncio.get_running_loop().create_future()

            house.world.upstream.script = script
            caller.send(modern("subscriptions/listen", {}, id="s"), routing("subscriptions/listen"))
            await acknowledged.wait()
            assert len(house.edge.open_streams) == 1

            await house.edge.drain(1.0)

            answer = await caller.client.answer()
            first, last = events(answer.body)
            assert first["method"] == "notifications/subscriptions/acknowledged"
            assert last["id"] == "s"
            assert last["result"]["resultType"] == "complete"
            assert last["result"]["_meta"][PREFIX + "subscriptionId"] == "s"
            assert house.edge.open_streams == {}

    run(story())


async def for_ever(session: Session, last_event: str | None, sink: Sink) -> Answer:
    return await asyncio.get_running_loop().create_future()


async def seen(what: Callable[[], bool]) -> None:
    """Come back when it is so; the story ends at ten seconds at the latest."""
    while not what():
        await settled(1)


@pytest.mark.parametrize("era", ["modern", "legacy"])
def test_a_listening_stream_ends_with_the_office_hours(era: str) -> None:
    async def story() -> None:
        hours = Hours(zone=UTC, windows=((8 * 3600, 18 * 3600),))
        rule = Policy(name="hours", effect=Effect.DENY_OUTSIDE_HOURS, hours=hours)
        only = Origin(rule="clients", clients=frozenset({"c"}))
        alice = limited(ALICE, policies=(rule,), origins=(only,))
        world = World().knows_the_tools()
        world.clock.now = noon = NOW - NOW % 86400 + 12 * 3600
        async with open_house(world, keys={digest("alice-key"): alice}) as house:
            caller = await house.connect()
            if era == "legacy":
                world.upstream.listening = for_ever
                await caller.begin()
                caller.send(b"", {"accept": "text/event-stream"}, "GET")
            else:
                world.upstream.script = lambda ask, sink: for_ever(world.session(), None, sink)
                body = modern("subscriptions/listen", id="s")
                body["params"]["_meta"] |= {CLIENT_KEY: {"name": "c"}}
                caller.send(body, routing("subscriptions/listen"))
            await seen(lambda: len(house.edge.open_streams) == 1)

            house.edge.revoke(noon + 6 * 3600 - 1)
            await settled()
            assert len(house.edge.open_streams) == 1

            house.edge.revoke(noon + 6 * 3600)
            await seen(lambda: not house.edge.open_streams)

    run(story())


@pytest.mark.parametrize("asks", [None, ["file:///plan.txt"]])
def test_a_stream_about_resources_ends_with_the_right_to_read_them(asks: list[str] | None) -> None:
    async def story() -> None:
        before = person("alice", "developer", "github:resources:read", "github:issues:read")
        after = person("alice", "developer", "github:issues:read")
        world = World().knows_the_tools()
        world.upstream.script = lambda ask, sink: for_ever(world.session(), None, sink)
        async with open_house(world, keys={digest("alice-key"): before}) as house:
            caller = await house.connect()
            wanted = {"toolsListChanged": True, "resourceSubscriptions": asks or []}
            body = modern("subscriptions/listen", {"notifications": wanted}, id="s")
            caller.send(body, routing("subscriptions/listen"))
            await seen(lambda: len(house.edge.open_streams) == 1)
            house.edge.revoke(NOW)
            await settled()
            assert len(house.edge.open_streams) == 1

            house.rules = msgspec.structs.replace(house.rules, keys={digest("alice-key"): after})
            house.edge.revoke(NOW)
            await settled()

            assert len(house.edge.open_streams) == (1 if asks is None else 0)

    run(story())


def test_a_stream_that_the_client_resumes_elsewhere_ends_without_an_answer() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()

            async def script(ask: Ask, sink: Sink) -> Answer:
                sink.notice(note("notifications/progress", {}, event="e-1"))
                raise Detached("come back later")

            house.world.upstream.script = script
            answer = await caller.ask(legacy("resources/read", {"uri": "x:y"}))

            (only,) = events(answer.body)
            assert only["method"] == "notifications/progress"

    run(story())


def test_an_answer_without_its_record_does_not_leave() -> None:
    async def story() -> None:
        async with open_house() as house:
            house.world.ledger.hold()
            caller = await house.connect()
            caller.send(*tool())
            await asyncio.sleep(0.02)

            house.world.ledger.lose()

            answer = await caller.client.answer()
            assert "list_issues" not in answer.body.decode()
            assert "audit" in said(answer)["result"]["content"][0]["text"]

    run(story())


def test_a_version_is_repeated_by_the_client_and_so_is_ours_to_know() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            body = modern("tools/list")
            body["params"]["_meta"][PREFIX + "protocolVersion"] = "2099-01-01"

            answer = await caller.ask(
                body, {**routing("tools/list"), "mcp-protocol-version": "2099-01-01"}
            )

            error = said(answer)["error"]
            assert (answer.status, error["code"]) == (400, -32022)
            assert error["data"] == {"supported": [MODERN], "requested": "2099-01-01"}

    run(story())


def test_a_ledger_that_fails_is_a_reason_and_no_bug() -> None:
    async def story() -> None:
        async with open_house() as house:
            house.world.ledger.refuses = True
            caller = await house.connect()

            for message, headers in (tool(), (b"{", {})):
                answer = await caller.ask(message, headers)
                assert answer.status in (200, 400)

    run(story())


def test_draining_waits_for_calls() -> None:
    async def story() -> None:
        async with open_house() as house:
            held = house.world.upstream.waits()
            caller = await house.connect()
            caller.send(*tool())
            await held.came()
            draining = asyncio.ensure_future(house.edge.drain(5.0))
            await settled()

            held.answer(text("late, but there"))

            assert "late" in (await caller.client.answer()).body.decode()
            await draining
            assert house.records() == [("list_issues", "success")]

    run(story())


def test_what_does_not_end_in_time_is_cancelled_and_recorded() -> None:
    async def story() -> None:
        async with open_house() as house:
            held = house.world.upstream.waits()
            caller = await house.connect()
            caller.send(*tool())
            await held.came()

            await house.edge.drain(0.05)

            assert house.world.upstream.cancelled == 1
            assert house.records() == [("list_issues", "cancelled")]

    run(story())
