"""What a session that was opened again knows, and what is sent in it anew."""

import asyncio

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, session, tool, until
from tests.torhaus.upstream.servers.http_server import (
    STREAM,
    chunk,
    event,
    note,
    result,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import begun, linked
from torhaus.model.ports import UpstreamError
from torhaus.upstream.faults import FaultError
from torhaus.upstream.memory import Memory


def test_the_new_session_is_told_what_the_old_one_had_been_told():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            for method, params in (
                ("logging/setLevel", {"level": "warning"}),
                ("logging/setLevel", {"level": "nonsense"}),
                ("resources/subscribe", {"uri": "x:a"}),
                ("resources/subscribe", {"uri": "x:b"}),
                ("resources/unsubscribe", {"uri": "x:a"}),
            ):
                await link.request(ask(method, params, session=front), Memo())
            upstream.forget()
            before = len(server.heard)
            await link.request(tool("a", session=front), Memo())

            told = [(each.asked, each.message.get("params")) for each in server.heard[before:]]
            assert [name for name, _ in told] == [
                "tools/call",
                "initialize",
                "notifications/initialized",
                "resources/subscribe",
                "logging/setLevel",
                "tools/call",
            ]
            assert told[3][1] == {"uri": "x:b"}
            assert told[4][1] == {"level": "warning"}

    run(story())


def test_a_session_that_wished_nothing_costs_no_memory():
    memory = Memory()

    assert memory.known("s1") is None
    assert not memory


def test_what_a_session_wished_is_forgotten_with_it():
    async def story():
        async with linked(McpServer().script) as (_, link):
            front = await begun(link)
            wish = ask("logging/setLevel", {"level": "error"}, session=front)
            await link.request(wish, Memo())
            await link.close(front)

            assert not link._memory

    run(story())


def test_a_notification_opens_the_session_again():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            upstream.forget()
            await link.post(front, "alice", note("notifications/roots/list_changed"))

            assert server.heard[-1].asked == "notifications/roots/list_changed"
            assert server.heard[-1].headers["mcp-session-id"] == "s-2"

    run(story())


def test_an_answer_dies_with_the_session_that_asked():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            upstream.forget()
            with pytest.raises(UpstreamError, match="forgotten the session in which it asked"):
                await link.post(front, "alice", b'{"jsonrpc":"2.0","id":3,"result":{}}')

            assert upstream.opened == 1

    run(story())


def test_a_listening_stream_opens_the_session_again_but_resumes_nothing():
    async def stream(wire, heard):
        wire.say(STREAM, chunk(event(note("n"))))
        await wire.gone()

    async def story():
        upstream = McpServer(stream=stream)
        async with linked(upstream.script) as (server, link):
            front, memo = await begun(link), Memo()
            upstream.forget()
            task = asyncio.create_task(link.listen(front, "e9", memo))
            await until(lambda: memo.notices)
            task.cancel()
            await asyncio.wait([task])

            gets = [each for each in server.heard if each.method == "GET"]
            assert [each.headers.get("last-event-id") for each in gets] == ["e9", None]
            assert [each.headers["mcp-session-id"] for each in gets] == ["s-1", "s-2"]

    run(story())


@pytest.mark.parametrize("streamed", [False, True])
def test_what_another_was_answered_opens_no_session(streamed):
    """Its id and its result would be those of somebody else."""

    async def twice(wire):
        before = None
        while True:
            heard = await wire.request()
            if before is not None and heard.asked == "initialize":
                lines = [
                    "Mcp-Session-Id: s-of-carol",
                    *(["content-type: text/event-stream"] * streamed),
                ]
                wire.say(whole(event(before) if streamed else before, "200 OK", *lines))
            elif heard.message.get("params", {}).get("name") == "lost":
                wire.say(whole(b"", "404 Not Found"))
            else:
                before = result(heard.message.get("id"), {"content": []})
                wire.say(whole(before))

    async def story():
        async with linked(twice) as (_, link):
            front, other = session("s1", "alice"), session("s2", "carol")
            front.upstream_id = "s-of-alice"
            await link.request(tool("a", session=other), Memo())
            with pytest.raises(FaultError, match="it answered another request"):
                await link.request(tool("lost", session=front), Memo())

            assert front.upstream_id == "s-of-alice"

    run(story())
