"""Callers with a session on upstreams that keep none, and doubts about what an upstream is."""

import contextlib
import json

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, session, tool
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
from tests.torhaus.upstream.webs import LEGACY, MODERN, linked
from torhaus.model.ports import Detached, UpstreamError
from torhaus.upstream.facts import Facts

ENVELOPE = {
    "io.modelcontextprotocol/protocolVersion": "2026-07-28",
    "io.modelcontextprotocol/clientCapabilities": {"sampling": {}},
    "io.modelcontextprotocol/clientInfo": {"name": "me"},
}


def modern(name="a", **more):
    meta = {**ENVELOPE, **more.pop("meta", {})}
    return tool(name, {}, meta=meta, **more)


def front(jti="s1"):
    return session(jti)


@pytest.mark.parametrize(
    ("asked", "agreed"),
    [
        ("2025-06-18", "2025-06-18"),
        ("2024-11-05", "2024-11-05"),
        ("1999-01-01", "2025-11-25"),
        (7, "2025-11-25"),
    ],
)
def test_a_session_begins_in_the_version_the_client_asked_for(asked, agreed):
    async def story():
        async with linked(McpServer(eras=("modern",)).script, MODERN) as (server, link):
            opening = msgspec.structs.replace(
                ask("initialize", {"protocolVersion": asked}, session=front()), session=None
            )
            answer = await link.request(opening, Memo())

            found = json.loads(answer.result)
            assert found["protocolVersion"] == agreed
            assert found["capabilities"] == {"tools": {"listChanged": True}, "logging": {}}
            assert answer.session is None
            assert server.heard == []

    run(story())


def test_a_call_gets_an_envelope_and_loses_it_again():
    async def complete(wire, heard):
        found = {"content": [{"text": "x"}], "resultType": "complete", "ttlMs": 1}
        wire.say(whole(result(heard.message["id"], found)))

    async def story():
        async with linked(McpServer(eras=("modern",), tool=complete).script, MODERN) as (
            server,
            link,
        ):
            answer = await link.request(tool("a", {"b": 1}, session=front()), Memo())

            sent = server.heard[0]
            assert sent.headers["mcp-method"] == "tools/call"
            assert "mcp-session-id" not in sent.headers
            meta = sent.message["params"]["_meta"]
            assert meta["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
            may = {"elicitation": {}, "sampling": {}, "roots": {}}
            assert meta["io.modelcontextprotocol/clientCapabilities"] == may
            assert meta["io.modelcontextprotocol/clientInfo"]["name"] == "test"
            assert json.loads(answer.result) == {"content": [{"text": "x"}]}

    run(story())


@pytest.mark.parametrize("method", ["ping", "logging/setLevel"])
def test_what_only_sessions_know_is_answered_here(method):
    async def story():
        async with linked(McpServer(eras=("modern",)).script, MODERN) as (server, link):
            answer = await link.request(ask(method, {"level": "info"}, session=front()), Memo())

            assert answer.result == b"{}"
            assert server.heard == []

    run(story())


def test_the_level_a_session_set_goes_with_each_of_its_calls():
    async def story():
        async with linked(McpServer(eras=("modern",)).script, MODERN) as (server, link):
            level = ask("logging/setLevel", {"level": "error"}, session=front("s1"))
            await link.request(level, Memo())
            await link.request(tool("a", session=front("s1")), Memo())
            await link.request(tool("b", session=front("s2")), Memo())

            key = "io.modelcontextprotocol/logLevel"
            metas = [each.message["params"]["_meta"].get(key) for each in server.heard]
            assert metas == ["error", None]

    run(story())


def test_a_broken_stream_of_a_stateless_server_cannot_be_resumed():
    async def leaving(wire, heard):
        wire.say(STREAM, chunk(event(note("n"), "id: e1")), LAST)

    async def story():
        upstream = McpServer(eras=("modern",), tool=leaving)
        async with linked(upstream.script, MODERN) as (_, link):
            with pytest.raises(UpstreamError, match="it ended the stream before") as caught:
                await link.request(tool("a", session=front()), Memo())

            assert not isinstance(caught.value, Detached)

    run(story())


@pytest.mark.parametrize("method", ["initialize", "tools/list"])
def test_a_link_that_knows_nothing_yet_says_so(method):
    async def story():
        async with linked(McpServer().script, Facts()) as (_, link):
            for caller in (None, front()):
                with pytest.raises(UpstreamError, match="neither era"):
                    await link.request(ask(method, {}, session=caller), Memo())

    run(story())


# When the server seems to have become another


@pytest.mark.parametrize(
    ("answer", "doubtful"),
    [
        (whole(b"", "404 Not Found"), True),
        (whole(b"<html>", "405 No"), True),
        (whole(error(None, -32000, "Bad Request: Server not initialized"), "400 Bad"), True),
        (whole(error(1, -32602, "Unknown tool"), "400 Bad"), False),
        (whole(error(1, -32601, "Method not found"), "404 Not Found"), False),
        (whole(b"", "503 Busy"), False),
        (whole(b"", "401 No"), False),
        (whole(result(1, {"content": []})), False),
    ],
)
def test_only_an_answer_of_the_other_era_raises_doubts(answer, doubtful):
    doubts = []

    async def other(wire, heard):
        wire.say(answer)

    async def story():
        upstream = McpServer(eras=("modern",), tool=other)
        async with linked(upstream.script, MODERN, doubt=lambda: doubts.append(1)) as (_, link):
            with contextlib.suppress(UpstreamError):
                await link.request(modern(), Memo())

    run(story())
    assert bool(doubts) is doubtful


def test_a_server_that_no_longer_opens_sessions_raises_doubts():
    doubts = []

    async def story():
        upstream = McpServer(eras=())
        async with linked(upstream.script, LEGACY, doubt=lambda: doubts.append(1)) as (_, link):
            with pytest.raises(UpstreamError):
                await link.request(modern(), Memo())

    run(story())
    assert doubts
