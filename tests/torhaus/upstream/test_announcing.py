"""Stateless callers hear of changed lists from servers with sessions."""

import asyncio
import contextlib
import json

from tests.torhaus.upstream.pipes import Memo, ask, run, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    error,
    event,
    note,
    result,
    whole,
)
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

            answer = await asyncio.wait_for(work, 60)
            assert json.loads(answer.result)["_meta"] == {SUB: 1}

    run(story())


RESOURCES = Facts(
    initialize=b'{"protocolVersion":"2025-11-25","capabilities":{"resources":{"subscribe":true}}}'
)
UPDATED = "notifications/resources/updated"


def wished(server):
    """What the server was told of resources, in its order."""
    return [
        (each.asked.removeprefix("resources/"), each.message["params"]["uri"])
        for each in server.heard
        if each.asked.startswith("resources/")
    ]


async def picky(wire, heard):
    """Takes every subscription but one."""
    number = heard.message.get("id")
    if heard.message.get("params", {}).get("uri") == "x://no":
        wire.say(whole(error(number, -32602, "no such resource")))
    else:
        wire.say(whole(result(number, {})))


def test_a_resource_is_subscribed_to_once_for_all_who_listen_and_left_with_the_last():
    async def story():
        there = Streams()
        upstream = McpServer(stream=there.stream, tool=picky)
        one, other = Memo(), Memo()
        first = listen(b"1", resourceSubscriptions=["x://a", "x://b/", "x://no"])
        second = listen(b"2", resourceSubscriptions=["x://a"])
        async with linked(upstream.script, RESOURCES) as (server, link):
            async with listening(link, first, one):
                await until(lambda: one.notices)
                async with listening(link, second, other):
                    await until(lambda: other.notices)
                    told = ("x://a", "x://a/1", "x://ab", "x://b/c", "x://other")
                    there.open[0].say(*(chunk(event(note(UPDATED, uri=uri))) for uri in told))
                    await until(lambda: len(one.notices) == 4)
                assert sorted(wished(server)) == [
                    ("subscribe", "x://a"),
                    ("subscribe", "x://b/"),
                    ("subscribe", "x://no"),
                ]
            await until(lambda: len(wished(server)) == 5)
        assert sorted(wished(server)[3:]) == [("unsubscribe", "x://a"), ("unsubscribe", "x://b/")]
        ack, *heard = [each["params"] for each in one.bodies()]
        assert ack["notifications"] == {"resourceSubscriptions": ["x://a", "x://b/"]}
        assert [each["uri"] for each in heard] == ["x://a", "x://a/1", "x://b/c"]
        assert [each["_meta"] for each in heard] == [{SUB: 1}] * 3
        assert [each["params"]["uri"] for each in other.bodies()[1:]] == ["x://a", "x://a/1"]

    run(story())


def test_people_never_share_a_subscription():
    async def story():
        there = Streams()
        upstream = McpServer(stream=there.stream, tool=picky)
        async with linked(upstream.script, RESOURCES) as (server, link):
            one, other = Memo(), Memo()
            mine = listen(b"1", resourceSubscriptions=["x://a"])
            yours = listen(b"1", who="bob", resourceSubscriptions=["x://a"])
            async with listening(link, mine, one), listening(link, yours, other):
                await until(lambda: one.notices and other.notices)

                assert wished(server) == [("subscribe", "x://a")] * 2
                used = {e.headers["mcp-session-id"] for e in server.heard if "uri" in str(e.body)}
                assert len(used) == 2

    run(story())


def test_a_session_that_is_opened_again_is_subscribed_again():
    async def story():
        there = Streams()
        upstream = McpServer(stream=there.stream, tool=picky)
        async with linked(upstream.script, RESOURCES) as (server, link):
            link._on_legacy.announcing._pause = 0.01
            sink = Memo()
            async with listening(link, listen(b"1", resourceSubscriptions=["x://a"]), sink):
                await until(lambda: sink.notices and there.open)
                upstream.forget()
                there.open[0].say(LAST)
                await until(lambda: wished(server) == [("subscribe", "x://a")] * 2)
                await until(lambda: there.began == 2)
                there.open[-1].say(chunk(event(note(UPDATED, uri="x://a"))))

                await until(lambda: len(sink.notices) == 2)

    run(story())


def test_where_nothing_is_told_nothing_is_promised():
    async def story():
        asked = listen(b"1", resourceSubscriptions=["x://a"], resourcesListChanged=True)
        for upstream, facts in (
            (McpServer(tool=picky), RESOURCES),  # it has no stream to tell it on
            (McpServer(stream=Streams().stream, tool=picky), TOLD),  # nor offers it here
        ):
            async with linked(upstream.script, facts) as (server, link):
                sink = Memo()
                async with listening(link, asked, sink):
                    await until(lambda sink=sink: sink.notices)

                    granted = sink.bodies()[0]["params"]["notifications"]
                    assert "resourceSubscriptions" not in granted
                    assert wished(server) == []

    run(story())


# Questions that belong to no call


ABLE = {"io.modelcontextprotocol/clientCapabilities": {"roots": {}}}
ASKED = json.dumps({"jsonrpc": "2.0", "id": 7, "method": "roots/list"}).encode()


class Asks(McpServer):
    """A server that asks on its one stream in the middle of a call."""

    def __init__(self, there):
        super().__init__(stream=there.stream, tool=self.asks)
        self.there = there
        self.said = asyncio.get_running_loop().create_future()

    async def react(self, wire, heard):
        if "result" in (heard.message or {}):
            self.said.set_result(heard.message["result"]["roots"][0]["uri"])
        await super().react(wire, heard)

    async def asks(self, wire, heard):
        self.there.open[-1].say(chunk(event(ASKED)))
        content = {"content": [{"type": "text", "text": await self.said}]}
        wire.say(whole(result(heard.message["id"], content)))


def able(number, **more):
    params = {"name": "where", "arguments": {}, "_meta": dict(ABLE), **more}
    return ask("tools/call", params, id=number)


def test_a_question_on_the_servers_own_stream_goes_to_the_call_under_way():
    async def story():
        there = Streams()
        async with linked(Asks(there).script, TOLD) as (_, link):
            first = json.loads((await link.request(able(b"1"), Memo())).result)
            (key,) = first["inputRequests"]
            answers = {key: {"roots": [{"uri": "file:///bridge"}]}}
            retry = able(b"2", requestState=first["requestState"], inputResponses=answers)
            last = json.loads((await link.request(retry, Memo())).result)

            assert first["inputRequests"][key]["method"] == "roots/list"
            assert last["content"][0]["text"] == "file:///bridge"
            assert there.began == 1

    run(story())


def test_the_stream_for_questions_serves_the_next_call_too_and_ends_with_the_link():
    async def story():
        there = Streams()
        async with linked(McpServer(stream=there.stream).script, TOLD) as (_, link):
            for number in (b"1", b"2", b"3"):
                await link.request(able(number), Memo())

            assert there.began == 1
            assert len(link._on_legacy.announcing) == 1
        await until(lambda: not there.open)

    run(story())


def test_a_server_without_a_stream_is_not_asked_for_one_again():
    async def story():
        async with linked(McpServer().script, TOLD) as (server, link):
            for number in (b"1", b"2", b"3"):
                await link.request(able(number), Memo())

            assert [each.method for each in server.heard].count("GET") == 1

    run(story())
