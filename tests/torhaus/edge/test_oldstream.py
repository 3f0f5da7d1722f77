"""What comes on the stream of a client of 2024-11-05, and when it ends."""

import asyncio
from typing import Any

import msgspec

from tests.torhaus.cast import ALICE, World, run, settled
from tests.torhaus.edge.doors import KEYS, House, legacy, open_house, polite
from tests.torhaus.edge.fakes import Paper
from tests.torhaus.edge.oldies import message, oldie
from tests.torhaus.scripted import dumps, note, text
from torhaus.edge.oldsse import MOST_RUNNING
from torhaus.edge.oldstream import PATIENCE, UNREAD
from torhaus.identity.keys import digest
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Detached, Notice, Sink
from torhaus.model.rules import Rules


def asking(house: House, answer: asyncio.Future[Answer]) -> list[Sink]:
    """The server asks the client something in the middle of `list_issues`."""
    sinks: list[Sink] = []

    async def script(ask: Ask, sink: Sink) -> Answer:
        if ask.name != "list_issues":
            return await polite(ask, sink)
        sinks.append(sink)
        body = b'{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{}}'
        sink.notice(Notice(body=body, method="elicitation/create", id=b'"q"'))
        return await answer

    house.world.upstream.script = script
    return sinks


def hearing(house: House) -> list[Sink]:
    sinks: list[Sink] = []

    async def listening(session: Any, last: str | None, sink: Sink) -> None:
        sinks.append(sink)
        sink.opened()
        try:
            await asyncio.get_running_loop().create_future()
        finally:
            sinks.remove(sink)

    house.world.upstream.listening = listening
    return sinks


def test_a_servers_question_is_put_and_its_answer_passed_on() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            asking(house, answered)
            old = await oldie(house)
            await old.begin()
            await old.post(legacy("tools/call", {"name": "list_issues"}))

            asked = await old.heard()
            told = await old.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"action": "x"}})
            answered.set_result(text("done"))
            ended = await old.heard()

            assert asked["method"] == "elicitation/create"
            assert told.status == 202
            assert house.world.upstream.posted[-1] == (
                b'{"jsonrpc":"2.0","id":"q","result":{"action":"x"}}'
            )
            assert ended["result"]["content"][0]["text"] == "done"

    run(story())


def test_it_hears_what_a_server_announces_as_soon_as_it_is_ready() -> None:
    async def story() -> None:
        async with open_house() as house:
            sinks = hearing(house)
            old = await oldie(house)
            await old.begin()
            await settled(20)

            sinks[0].notice(note("notifications/resources/list_changed"))

            assert (await old.heard())["method"] == "notifications/resources/list_changed"
            old.ear.client.close()
            await settled(20)
            assert sinks == []

    run(story())


def test_what_a_server_says_on_a_resumed_stream_comes_all_the_same() -> None:
    async def story() -> None:
        async with open_house() as house:
            resumed: list[str | None] = []

            async def script(ask: Ask, sink: Sink) -> Answer:
                if ask.name != "list_issues":
                    return await polite(ask, sink)
                sink.notice(Notice(body=b"", event_id="e1", retry=10))
                raise Detached

            async def listening(session: Any, last: str | None, sink: Sink) -> None:
                resumed.append(last)
                if last is not None:
                    body = b'{"jsonrpc":"2.0","id":5,"result":{"content":[]}}'
                    sink.notice(Notice(body=body, id=b"5", event_id="e2"))
                    return
                await asyncio.get_running_loop().create_future()

            house.world.upstream.script = script
            house.world.upstream.listening = listening
            old = await oldie(house)
            await old.begin()

            await old.post(legacy("tools/call", {"name": "list_issues"}, 5))

            assert (await old.heard())["id"] == 5
            assert resumed == [None, "e1"]

    run(story())


def test_a_client_that_hangs_up_leaves_nothing() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            asking(house, answered)
            old = await oldie(house)
            await old.begin()
            await old.post(legacy("tools/call", {"name": "list_issues"}))
            await old.heard()

            old.ear.client.close()
            await settled(500)

            assert house.edge.open_streams == {}
            assert len(house.world.gate.sessions) == 0
            assert len(house.world.upstream.closed) == 1
            assert house.world.upstream.cancelled == 1
            assert house.records()[-1] == ("list_issues", "cancelled")
            late = await old.post(legacy("tools/list"))
            assert late.status == 404

    run(story())


def without_alice(house: House) -> None:
    house.rules = Rules(version="2", servers=house.rules.servers, keys={})
    house.edge.forget()


def test_it_ends_with_the_rights_of_its_caller() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)
            await old.begin()
            without_alice(house)

            house.edge.revoke(house.world.clock())

            assert await old.rest() == []
            assert len(house.world.gate.sessions) == 0
            assert (await old.post(legacy("ping"))).status == 401

    run(story())


def test_it_ends_at_once_with_its_credential_and_so_does_what_runs_in_it() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            asking(house, answered)
            old = await oldie(house)
            await old.begin()
            await old.post(legacy("tools/call", {"name": "list_issues"}))
            await old.heard()
            for stays in list(house.edge.open_streams.values()):
                stays.visitor.lease.end()
            without_alice(house)

            house.edge.cut()
            await settled(50)

            assert house.edge.open_streams == {}
            assert len(house.world.gate.sessions) == 0
            assert house.world.upstream.cancelled == 1

    run(story())


def test_it_ends_when_the_access_of_its_caller_expires() -> None:
    async def story() -> None:
        world = World().knows_the_tools()
        until = world.clock() + 10
        keys = {
            digest("alice-key"): msgspec.structs.replace(ALICE, expires=until),
            digest("bob-key"): KEYS["bob-key"],
        }
        async with open_house(world, keys=keys) as house:
            old, other = await oldie(house), await oldie(house, "bob-key")
            await old.begin()
            await other.begin()

            house.edge.revoke(until + 1)

            assert await old.rest() == []
            assert len(house.edge.open_streams) >= 1

    run(story())


def test_one_that_begins_no_session_ends() -> None:
    async def story() -> None:
        async with open_house() as house:
            old, other = await oldie(house), await oldie(house)
            await other.begin()

            house.edge.revoke(house.world.clock() + PATIENCE + 1)

            assert await old.rest() == []
            assert (await other.ask("tools/list", id=9))["id"] == 9

    run(story())


def test_a_gateway_that_stops_lets_calls_finish() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            asking(house, answered)
            old = await oldie(house)
            await old.begin()
            await old.post(legacy("tools/call", {"name": "list_issues"}, 3))
            await old.heard()

            draining = asyncio.ensure_future(house.edge.drain(5))
            await settled(20)
            refused = await old.post(legacy("tools/list", id=4))
            answered.set_result(text("done"))

            rest = await old.rest()
            await draining
            assert refused.status == 503
            assert [each["id"] for each in rest] == [3]

    run(story())


def test_a_client_that_does_not_read_is_not_served_without_end() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            sinks = asking(house, answered)
            old = await oldie(house)
            await old.begin()
            await old.post(legacy("tools/call", {"name": "list_issues"}, 3))
            await old.heard()
            slowed: list[bool] = []
            sinks[0].throttle = slowed.append
            (stream,) = [
                each for each in house.edge.open_streams if each.head.target.endswith(b"sse")
            ]
            real, stuck = stream.wire, Paper()
            stuck.stuck, stream.wire = True, stuck

            sinks[0].notice(note("notifications/message", {"level": "info", "data": "x"}))
            full = await old.post(legacy("tools/list", id=4))
            stream.wire = real
            stream.writable()
            again = await old.post(legacy("tools/list", id=4))

            assert slowed == [True, False]
            assert (full.status, again.status) == (503, 202)
            assert "read it" in message(full)

    run(story())


def test_answers_that_nobody_reads_do_not_fill_the_memory() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            asking(house, answered)
            old = await oldie(house)
            await old.begin()
            for number in range(20):
                await old.post(legacy("tools/call", {"name": "list_issues"}, number))
            (stream,) = house.edge.open_streams
            real, stuck = stream.wire, Paper()
            stuck.stuck, stream.wire = True, stuck

            answered.set_result(text("x" * (UNREAD // 8)))
            await settled()
            stream.wire = real

            assert stuck.aborted == 1
            assert UNREAD // 2 < len(stuck.text) <= UNREAD + UNREAD // 8
            assert house.edge.open_streams == {}
            assert (await old.post(legacy("ping", id=99))).status == 404

    run(story())


def test_only_so_many_messages_are_under_way_at_once() -> None:
    async def story() -> None:
        async with open_house() as house:
            answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
            asking(house, answered)
            old = await oldie(house)
            await old.begin()

            statuses = [
                (await old.post(legacy("tools/call", {"name": "list_issues"}, number))).status
                for number in range(MOST_RUNNING + 1)
            ]

            assert statuses[-1] == 503
            assert set(statuses[:-1]) == {202}

    run(story())


def test_a_second_session_on_a_stream_ends_the_first() -> None:
    async def story() -> None:
        async with open_house() as house:
            old = await oldie(house)
            await old.begin()

            await old.begin()

            assert len(house.world.gate.sessions) == 1
            assert len(house.world.upstream.closed) == 1
            assert dumps(await old.ask("tools/list", id=2)).count(b"list_issues") == 1

    run(story())
