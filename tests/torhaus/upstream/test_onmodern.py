"""A session that lives in the gateway alone: what its stateless server is told of it."""

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, session, tool
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    event,
    note,
    result,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import MODERN, linked
from torhaus.upstream.memory import Memory
from torhaus.upstream.onmodern import remember

CAPABILITIES = "io.modelcontextprotocol/clientCapabilities"


def test_the_server_is_told_what_the_client_may_be_asked():
    async def story():
        async with linked(McpServer(eras=("modern",)).script, MODERN) as (server, link):
            declared = b'{"elicitation":{"url":{}},"experimental":{"x":{}},"sampling":7}'
            await link.request(tool("a", session=session(capabilities=declared)), Memo())

            meta = server.heard[0].message["params"]["_meta"]
            assert meta[CAPABILITIES] == {"elicitation": {"url": {}}}

    run(story())


def test_a_stateless_server_sends_no_requests_and_no_event_ids_of_its_own():
    async def chatty(wire, heard):
        number = heard.message["id"]
        asks = b'{"jsonrpc":"2.0","id":5,"method":"roots/list"}'
        wire.say(STREAM, chunk(event(asks)), chunk(event(note("notifications/x"), "id: e1")))
        wire.say(chunk(event(result(number, {"content": []}))), LAST)

    async def story():
        upstream = McpServer(eras=("modern",), tool=chatty)
        async with linked(upstream.script, MODERN) as (_, link):
            sink = Memo()
            await link.request(tool("a", session=session()), sink)

            assert sink.methods() == ["notifications/x"]
            (primed,) = sink.primed
            stream, number = (primed.event_id or "").rsplit(".", 1)
            assert (stream != "", number) == (True, "0")
            assert sink.notices[0].event_id == f"{stream}.1"

    run(story())


@pytest.mark.parametrize("method", ["prompts/get", "resources/read", "completion/complete"])
def test_answers_lose_what_sessions_do_not_know(method):
    async def cached(wire, heard):
        found = {"messages": [], "resultType": "complete", "ttlMs": 1, "cacheScope": "public"}
        wire.say(whole(result(heard.message["id"], found)))

    async def story():
        upstream = McpServer(eras=("modern",), tool=cached)
        async with linked(upstream.script, MODERN) as (_, link):
            answer = await link.request(ask(method, {"name": "a"}, session=session()), Memo())

            assert answer.result == b'{"messages":[]}'

    run(story())


def test_wishes_are_remembered_for_their_session():
    memory, front = Memory(), session()

    for method, params in (
        ("logging/setLevel", {"level": "error"}),
        ("logging/setLevel", {"level": "loud"}),
        ("resources/subscribe", {"uri": "a"}),
        ("resources/subscribe", {"uri": "b"}),
        ("resources/subscribe", {"uri": 7}),
        ("resources/unsubscribe", {"uri": "a"}),
        ("tools/call", {"uri": "c"}),
    ):
        remember(memory, ask(method, params, session=front), front)

    wishes = memory.known(front.jti)
    assert wishes is not None
    assert (wishes.level, wishes.uris) == ("error", {"b"})
