"""Callers without a session on upstreams that need one (protocol research B.2)."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, ask, run, said, tool, until
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
from tests.torhaus.upstream.webs import LEGACY, linked
from torhaus.model.ports import Detached, UpstreamError

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"sampling": {}},
    "io.modelcontextprotocol/clientInfo": {"name": "me"},
}


def modern(name="a", **more):
    meta = {**ENVELOPE, **more.pop("meta", {})}
    return tool(name, {}, meta=meta, **more)


@pytest.mark.parametrize("loop", LOOPS)
def test_each_principal_has_one_session_for_all_its_calls(loop):
    async def story():
        upstream = McpServer()
        async with linked(upstream.script, LEGACY) as (server, link):
            answers = await asyncio.gather(
                *(link.request(modern(who, who=who), Memo()) for who in "aabbab" for _ in range(3))
            )

            assert {said(each) for each in answers} == {"a", "b"}
            assert upstream.opened == 2
            used = {
                (each.message["params"]["name"], each.headers["mcp-session-id"])
                for each in server.heard
                if each.asked == "tools/call"
            }
            assert len(used) == 2
            assert sorted(upstream.initialized) == ["s-1", "s-2"]

    run(story(), loop)


def test_what_is_sent_has_neither_the_callers_envelope_nor_its_id():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script, LEGACY) as (server, link):
            meta = {"progressToken": "p", "traceparent": "00-1"}
            answer = await link.request(modern(id=b'"front"', meta=meta), Memo())

            opening, call = server.heard[0], server.heard[-1]
            assert opening.message["params"]["capabilities"] == {"sampling": {}}
            assert opening.message["params"]["clientInfo"]["name"] == "torhaus"
            assert call.message["params"]["_meta"] == meta
            assert ".own-" in call.message["id"]
            assert "mcp-method" not in call.headers
            assert call.headers["mcp-protocol-version"] == "2025-11-25"
            found = json.loads(answer.result)
            assert found["resultType"] == "complete"
            assert found["_meta"]["io.modelcontextprotocol/serverInfo"]["name"] == "old"

    run(story())


def test_ids_are_never_used_twice():
    async def story():
        async with linked(McpServer().script, LEGACY) as (server, link):
            await asyncio.gather(*(link.request(modern(id=b"1"), Memo()) for _ in range(10)))

            sent = [each.message["id"] for each in server.heard if "id" in (each.message or {})]
            assert len(set(sent)) == len(sent) == 11

    run(story())


@pytest.mark.parametrize(
    ("said_version", "used"),
    [("2025-03-26", "2025-03-26"), ("9.9\r\nx-evil: 1", "2025-11-25"), (5, "2025-11-25")],
)
def test_the_agreed_version_is_used_if_we_know_it(said_version, used):
    async def story():
        upstream = McpServer(version=said_version)
        async with linked(upstream.script, LEGACY) as (server, link):
            await link.request(modern(), Memo())

            assert server.heard[-1].headers["mcp-protocol-version"] == used
            assert "x-evil" not in server.heard[-1].headers

    run(story())


def test_a_lost_session_is_opened_again_for_its_principal():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script, LEGACY) as (_, link):
            await link.request(modern(), Memo())
            upstream.forget()
            answers = await asyncio.gather(*(link.request(modern(), Memo()) for _ in range(8)))

            assert [said(each) for each in answers] == ["a"] * 8
            assert upstream.opened == 2

    run(story())


def test_idle_sessions_are_deleted():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script, LEGACY) as (_, link):
            link._pooled._idle = 0.05
            await link.request(modern(), Memo())

            await until(lambda: upstream.ended == ["s-1"])
            assert said(await link.request(modern(), Memo())) == "a"
            assert upstream.opened == 2

    run(story())


def test_a_long_call_keeps_its_session():
    gate = asyncio.Event()

    async def slow(wire, heard):
        await gate.wait()
        wire.say(whole(result(heard.message["id"], {"content": [{"text": "done"}]})))

    async def story():
        upstream = McpServer(tool=slow)
        async with linked(upstream.script, LEGACY) as (server, link):
            link._pooled._idle = 0.05
            call = asyncio.create_task(link.request(modern(), Memo()))
            await until(lambda: server.asked()[-1:] == ["tools/call"])
            await asyncio.sleep(0.2)
            assert upstream.ended == []
            gate.set()

            assert said(await call) == "done"
            await until(lambda: upstream.ended == ["s-1"])

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_shutting_down_ends_the_sessions(loop):
    async def story():
        upstream = McpServer()
        async with linked(upstream.script, LEGACY) as (_, link):
            for who in "abc":
                await link.request(modern(who=who), Memo())
            await link.shutdown()

            assert sorted(upstream.ended) == ["s-1", "s-2", "s-3"]

    run(story(), loop)


def test_progress_and_wanted_log_messages_pass():
    async def talking(wire, heard):
        wire.say(STREAM)
        step = note("notifications/progress", progressToken="p", progress=1)
        wire.say(chunk(event(step, "id: 1")))
        wire.say(chunk(event(note("notifications/message", level="debug", data="x"))))
        wire.say(chunk(event(note("notifications/message", level="error", data="y"))))
        wire.say(chunk(event(result(heard.message["id"], {"content": []}))), LAST)

    async def story():
        async with linked(McpServer(tool=talking).script, LEGACY) as (_, link):
            memo = Memo()
            meta = {"progressToken": "p"}
            level = {"io.modelcontextprotocol/logLevel": "warning"}
            await link.request(modern(meta={**meta, **level}), memo)

            assert [each["params"].get("level") for each in memo.bodies()] == [None, "error"]
            quiet = Memo()
            await link.request(modern(meta=meta), quiet)
            assert quiet.methods() == ["notifications/progress"]

    run(story())


def test_a_server_that_asks_although_it_must_not_gets_an_answer():
    async def asking(wire, heard):
        wire.say(STREAM)
        question = {"jsonrpc": "2.0", "id": 7, "method": "roots/list"}
        wire.say(chunk(event(json.dumps(question).encode())))
        await until(lambda: any(b'"id":7' in each.body for each in wire.heard))
        wire.say(chunk(event(result(heard.message["id"], {"content": []}))), LAST)

    async def story():
        async with linked(McpServer(tool=asking).script, LEGACY) as (server, link):
            memo = Memo()
            await link.request(modern(), memo)

            reply = next(each for each in server.heard if b'"id":7' in each.body)
            assert reply.message["error"]["code"] == -32601
            assert memo.notices == []

    run(story())


def test_a_stream_that_nobody_can_resume_is_an_error():
    async def leaving(wire, heard):
        wire.say(STREAM, chunk(event(note("n"), "id: e1")), LAST)

    async def story():
        async with linked(McpServer(tool=leaving).script, LEGACY) as (_, link):
            with pytest.raises(UpstreamError, match="it ended the stream before") as caught:
                await link.request(modern(), Memo())

            assert not isinstance(caught.value, Detached)

    run(story())


def test_discovery_is_answered_from_what_is_known():
    async def story():
        async with linked(McpServer().script, LEGACY) as (server, link):
            answer = await link.request(ask("server/discover", {"_meta": ENVELOPE}), Memo())

            assert json.loads(answer.result)["supportedVersions"] == ["2026-07-28"]
            assert server.heard == []

    run(story())


def test_a_method_the_server_does_not_know_is_404_for_a_stateless_caller():
    async def unknown(wire, heard):
        wire.say(whole(error(heard.message["id"], -32601, "Method not found")))

    async def story():
        async with linked(McpServer(tool=unknown).script, LEGACY) as (_, link):
            answer = await link.request(modern(), Memo())

            assert (answer.status, json.loads(answer.error)["code"]) == (404, -32601)

    run(story())


@pytest.mark.parametrize("refusal", ["503 Busy", "401 No", "404 Not Found"])
def test_a_session_that_does_not_open_fails_the_call_only(refusal):
    class Refusing(McpServer):
        refusing = True

        async def _initialize(self, wire, heard):
            if self.refusing:
                wire.say(whole(b"", refusal))
            else:
                await super()._initialize(wire, heard)

    async def story():
        upstream = Refusing()
        async with linked(upstream.script, LEGACY) as (_, link):
            with pytest.raises(UpstreamError, match="HTTP"):
                await link.request(modern(), Memo())
            upstream.refusing = False

            assert said(await link.request(modern(), Memo())) == "a"

    run(story())
