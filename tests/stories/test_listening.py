"""Sessions and their open streams, from the first byte to the last."""

import asyncio

import pytest

from tests.torhaus.cast import DAY, run, settled
from tests.torhaus.edge.doors import (
    LOCAL,
    events,
    legacy,
    open_house,
    said,
)
from tests.torhaus.scripted import note
from torhaus.model.ports import NoStream, Sink, UpstreamError
from torhaus.model.session import Session


async def endless(session: Session, last: str | None, sink: Sink) -> None:
    sink.opened()
    await asyncio.get_running_loop().create_future()


def test_a_session_of_somebody_else_is_not_there() -> None:
    async def story() -> None:
        async with open_house() as house:
            alice, bob = await house.connect(), await house.connect("bob-key")
            await alice.begin()
            bob.session = alice.session

            for message in (legacy("tools/list"), {"jsonrpc": "2.0", "method": "notifications/x"}):
                assert (await bob.ask(message)).status == 404
            assert (await bob.ask(b"", method="DELETE")).status == 404
            assert (await bob.ask(b"", {"accept": "text/event-stream"}, method="GET")).status == 404
            assert (await alice.ask(legacy("tools/list"))).status == 200

    run(story())


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_a_session_does_not_outlive_its_callers_access(method: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            carol = await house.connect("carol-key")
            await carol.begin()
            house.world.upstream.listening = endless
            house.world.clock.turn(DAY)

            body = {"jsonrpc": "2.0", "method": "notifications/x"} if method == "POST" else b""
            answer = await carol.ask(body, {"accept": "*/*"}, method=method)

            assert b"ended" in answer.body
            assert house.world.upstream.posted == []
            assert house.world.upstream.resumed == []

    run(story())


def test_a_stream_is_listened_to_until_the_client_goes() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()
            ended = asyncio.Event()

            async def listening(session: Session, last: str | None, sink: Sink) -> None:
                sink.opened()
                sink.notice(note("notifications/message", {"level": "info", "data": "hello"}))
                try:
                    await asyncio.get_running_loop().create_future()
                finally:
                    ended.set()

            house.world.upstream.listening = listening
            caller.send(b"", {"accept": "text/event-stream"}, method="GET")
            status, _ = await caller.client.head()
            chunks = caller.client.chunks()

            assert status == 200
            assert await anext(chunks) == b":\n\n"
            assert events(await anext(chunks))[0]["params"]["data"] == "hello"
            assert len(house.edge.open_streams) == 1
            caller.client.close()
            await ended.wait()
            await settled()
            assert house.edge.open_streams == {}

    run(story())


def test_a_server_without_a_stream_says_so() -> None:
    async def story() -> None:
        async with open_house() as house:

            async def none(session: Session, last: str | None, sink: Sink) -> None:
                raise NoStream("it has none")

            house.world.upstream.listening = none
            caller = await house.connect()
            await caller.begin()

            answer = await caller.ask(b"", {"accept": "text/event-stream"}, method="GET")

            assert (answer.status, answer.headers[b"allow"]) == (405, b"POST, DELETE")

    run(story())


def test_a_stream_that_cannot_be_opened_is_an_error_with_its_reason() -> None:
    async def story() -> None:
        async with open_house() as house:

            async def fails(session: Session, last: str | None, sink: Sink) -> None:
                raise UpstreamError("it is on fire")

            house.world.upstream.listening = fails
            caller = await house.connect()
            await caller.begin()

            answer = await caller.ask(b"", {"accept": "text/event-stream"}, method="GET")

            assert answer.status == 502
            assert "on fire" in said(answer)["error"]["message"]

    run(story())


def test_a_listening_client_takes_event_streams() -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()

            answer = await caller.ask(b"", {"accept": "application/json"}, method="GET")

            assert answer.status == 406

    run(story())


@pytest.mark.parametrize("event", ["made-up", "a" * 5000])
def test_an_event_id_of_nobody_is_refused(event: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            caller = await house.connect()
            await caller.begin()

            answer = await caller.ask(
                b"", {"accept": "text/event-stream", "last-event-id": event}, method="GET"
            )

            assert answer.status == 400
            assert "Last-Event-ID" in said(answer)["error"]["message"]

    run(story())


# -- revocation -------------------------------------------------------------------------------


@pytest.mark.parametrize("change", ["key removed", "key given away", "server removed", "expired"])
def test_streams_end_when_their_caller_must_go(change: str) -> None:
    async def story() -> None:
        async with open_house() as house:
            carol = await house.connect("carol-key")
            await carol.begin()
            house.world.upstream.listening = endless
            carol.send(b"", {"accept": "text/event-stream"}, method="GET")
            await carol.client.head()
            house.edge.revoke(house.world.clock())
            await settled()
            assert len(house.edge.open_streams) == 1

            rules = house.rules
            keys = dict(rules.keys)
            mine = next(k for k, who in keys.items() if who.email.startswith("carol"))
            alice = next(who for who in keys.values() if who.email.startswith("alice"))
            if change == "key removed":
                del keys[mine]
            if change == "key given away":
                keys[mine] = alice
            if change == "expired":
                house.world.clock.turn(DAY)
            servers = {} if change == "server removed" else rules.servers
            house.rules = type(rules)(version="2", servers=servers, keys=keys)
            house.edge.revoke(house.world.clock())

            assert [chunk async for chunk in carol.client.chunks()] == [b":\n\n"]
            assert house.edge.open_streams == {}

    run(story())


def test_an_anonymous_stream_ends_with_the_anonymous_door() -> None:
    async def story() -> None:
        async with open_house(
            anonymous=(LOCAL,), principals={"anonymous": LOCAL.principal}
        ) as house:
            caller = await house.connect(None)
            await caller.begin()
            house.world.upstream.listening = endless
            caller.send(b"", {"accept": "text/event-stream"}, method="GET")
            await caller.client.head()
            house.edge.revoke(house.world.clock())
            assert len(house.edge.open_streams) == 1

            house.rules = type(house.rules)(version="2", servers=house.rules.servers)
            house.edge.revoke(house.world.clock())

            assert [chunk async for chunk in caller.client.chunks()] == [b":\n\n"]

    run(story())


def test_a_notification_nobody_knows_needs_a_permission_for_everything() -> None:
    """A server may do anything at `notifications/purge`; no permission says what."""

    async def story() -> None:
        async with open_house() as house:
            alice = await house.connect()
            await alice.begin()

            refused = await alice.ask({"jsonrpc": "2.0", "method": "notifications/purge"})
            known = await alice.ask({"jsonrpc": "2.0", "method": "notifications/initialized"})

            assert "error" in said(refused)
            assert known.status == 202
            (posted,) = house.world.upstream.posted
            assert b"notifications/initialized" in posted

    run(story())
