"""Stateless callers hear of changed lists from servers with sessions."""

import asyncio
import contextlib
import json

from tests.torhaus.upstream.pipes import Memo, ask, run, until
from tests.torhaus.upstream.servers.http_server import LAST, STREAM, chunk, event, note
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import linked
from torhaus.upstream.facts import Facts

TOLD = Facts(initialize=b'{"protocolVersion":"2025-11-25","capabilities":{"tools":{}}}')
SUB = "io.modelcontextprotocol/subscriptionId"
TOOLS = "notifications/tools/list_changed"


def listen(number, who="alice", **wanted):
    params = {"notifications": wanted, "_meta": {}}
    return ask("subscriptions/listen", params, id=number, who=who, timeout=None)


class Streams:
    """A server that keeps each stream open."""

    def __init__(self):
        self.open = []
        self.began = 0

    async def stream(self, wire, heard):
        self.began += 1
        self.open.append(wire)
        wire.say(STREAM)
        await wire.gone()
        self.open.remove(wire)


@contextlib.asynccontextmanager
async def listening(link, asked, sink):
    task = asyncio.ensure_future(link.request(asked, sink))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def test_two_listeners_share_a_stream_and_hear_what_each_asked_for():
    async def story():
        there = Streams()
        async with linked(McpServer(stream=there.stream).script, TOLD) as (_, link):
            one, other = Memo(), Memo()
            first = listen(b'"a"', toolsListChanged=True, promptsListChanged=True)
            async with (
                listening(link, first, one),
                listening(link, listen(b"2", promptsListChanged=True), other),
            ):
                await until(lambda: there.open and other.notices)
                there.open[0].say(chunk(event(note(TOOLS))))
                await until(lambda: len(one.notices) == 2)

                ack, changed = one.bodies()
                assert ack["params"] == {
                    "_meta": {SUB: "a"},
                    "notifications": {"toolsListChanged": True},
                }
                assert (changed["method"], changed["params"]["_meta"]) == (TOOLS, {SUB: "a"})
                assert other.bodies()[0]["params"] == {"_meta": {SUB: 2}, "notifications": {}}
                assert there.began == 1
            await until(lambda: not there.open)
            assert len(link._on_legacy.announcing) == 0

    run(story())


def test_a_stream_that_ends_is_opened_again_and_questions_on_it_are_refused():
    async def story():
        there, asked = Streams(), []

        async def short(wire, heard):
            question = {"jsonrpc": "2.0", "id": 7, "method": "roots/list"}
            wire.say(STREAM, chunk(event(json.dumps(question).encode())), LAST)
            asked.append(1)

        async with linked(McpServer(stream=short).script, TOLD) as (server, link):
            link._on_legacy.announcing._pause = 0.01
            async with listening(link, listen(b"1", toolsListChanged=True), Memo()) as task:
                await until(lambda: len(asked) > 1)
                await until(lambda: any(b'"id":7' in each.body for each in server.heard))

                assert not task.done()
                assert there.began == 0

    run(story())


def test_a_server_without_a_stream_is_listened_to_in_silence():
    async def story():
        async with linked(McpServer().script, TOLD) as (server, link):
            sink = Memo()
            async with listening(link, listen(b"1", toolsListChanged=True), sink) as task:
                await until(lambda: any(each.method == "GET" for each in server.heard))

                assert sink.methods() == ["notifications/subscriptions/acknowledged"]
                assert not task.done()

    run(story())


def test_a_link_that_shuts_down_ends_its_listeners_in_order():
    async def story():
        there = Streams()
        async with linked(McpServer(stream=there.stream).script, TOLD) as (_, link):
            work = asyncio.ensure_future(link.request(listen(b"1", toolsListChanged=True), Memo()))
            await until(lambda: there.open)
            await link.shutdown()

            answer = await asyncio.wait_for(work, 5)
            assert json.loads(answer.result)["_meta"] == {SUB: 1}

    run(story())
