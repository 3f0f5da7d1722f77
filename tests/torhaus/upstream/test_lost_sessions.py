"""Upstream sessions die and are opened again; the front session lives on (checklist U7)."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, run, said, tool, until
from tests.torhaus.upstream.servers.http_server import (
    error,
    result,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import begun, linked
from torhaus.model.ports import UpstreamError
from torhaus.upstream.whose import at_server

LOST = [
    whole(error(None, -32001, "Session not found"), "404 Not Found"),
    whole(b"", "404 Not Found"),
    whole(error(None, -32000, "Bad Request: No valid session ID provided"), "400 Bad Request"),
    whole(b"Bad Request: No valid session ID provided", "400 Bad", "content-type: text/plain"),
    whole(error(None, -32000, "Bad Request: Server not initialized"), "400 Bad Request"),
]


def names(server):
    return [each.message["params"]["name"] for each in server.heard if each.asked == "tools/call"]


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("lost", LOST)
def test_a_lost_session_is_opened_again_and_the_call_replayed_once(lost, loop):
    async def story():
        upstream = McpServer(lost=lost)
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            upstream.forget()
            answer = await link.request(tool("a", session=front), Memo())

            assert said(answer) == "a"
            assert front.upstream_id == "s-2"
            assert (front.token, front.version) == ("t", "2025-11-25")
            assert upstream.initialized == ["s-2"]
            assert names(server) == ["a", "a"]

    run(story(), loop)


def test_the_new_session_is_opened_as_the_client_opened_the_old_one():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            front.version = "2025-06-18"
            upstream.forget()
            await link.request(tool("a", session=front), Memo())

            opening = [each for each in server.heard if each.asked == "initialize"][1]
            assert opening.message["params"]["capabilities"] == json.loads(front.capabilities)
            assert opening.message["params"]["clientInfo"] == json.loads(front.client_info)
            assert opening.message["params"]["protocolVersion"] == "2025-06-18"
            assert opening.message["id"] == 2  # a number of the link's own
            assert front.version == "2025-06-18"

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_one_attempt_serves_all_who_wait(loop):
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (_server, link):
            front = await begun(link)
            upstream.forget()
            answers = await asyncio.gather(
                *(link.request(tool(str(n), session=front), Memo()) for n in range(30))
            )

            assert [said(each) for each in answers] == [str(n) for n in range(30)]
            assert upstream.opened == 2

    run(story(), loop)


def test_a_refusal_that_comes_late_opens_no_third_session():
    """A call that went out with the old session id hears of its death after it was replaced."""
    gate = asyncio.Event()

    class Slow(McpServer):
        async def _in_session(self, wire, heard):
            slow = heard.body and heard.message.get("params", {}).get("name") == "slow"
            if slow and heard.headers["mcp-session-id"] == "s-1":
                await gate.wait()
            await super()._in_session(wire, heard)

    async def story():
        upstream = Slow()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            upstream.forget()
            slow = asyncio.create_task(link.request(tool("slow", session=front), Memo()))
            await until(lambda: names(server) == ["slow"])
            await link.request(tool("fast", session=front), Memo())
            gate.set()

            assert said(await slow) == "slow"
            assert upstream.opened == 2

    run(story())


def test_a_second_refusal_is_an_error_and_nothing_is_tried_for_ever():
    class Hopeless(McpServer):
        async def _in_session(self, wire, heard):
            if heard.asked == "tools/call":
                self.forget()
            await super()._in_session(wire, heard)

    async def story():
        upstream = Hopeless(lost=whole(b"", "404 Not Found"))
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            with pytest.raises(UpstreamError, match="it answered HTTP 404"):
                await link.request(tool("a", session=front), Memo())

            assert names(server) == ["a", "a"]
            assert upstream.opened == 2

    run(story())


@pytest.mark.parametrize(
    "refusal",
    [whole(b"", "503 Busy"), whole(b"", "401 No"), whole(error(1, -32603, "no")), whole(b"[]")],
)
def test_when_no_new_session_opens_the_call_fails_and_the_next_one_tries_again(refusal):
    class Refusing(McpServer):
        refusing = False

        async def _initialize(self, wire, heard):
            if self.refusing:
                wire.say(refusal)
            else:
                await super()._initialize(wire, heard)

    async def story():
        upstream = Refusing()
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            upstream.forget()
            upstream.refusing = True
            for _ in range(2):
                with pytest.raises(UpstreamError):
                    await link.request(tool("a", session=front), Memo())
            upstream.refusing = False

            assert said(await link.request(tool("a", session=front), Memo())) == "a"

    run(story())


def test_a_caller_that_hangs_up_does_not_stop_the_opening_for_the_others():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            upstream.forget()
            upstream.opening = asyncio.Event()
            calls = [
                asyncio.create_task(link.request(tool(str(n), session=front), Memo()))
                for n in range(3)
            ]
            await until(lambda: link._reopening)
            calls[0].cancel()
            await asyncio.wait([calls[0]])
            upstream.opening.set()

            assert [said(await call) for call in calls[1:]] == ["1", "2"]
            assert upstream.opened == 2

    run(story())


def test_an_opening_that_everybody_gave_up_and_that_fails_says_nothing_more(caplog):
    async def story():
        upstream = McpServer()
        async with linked(upstream.script, timeout=1.0) as (_, link):
            front = await begun(link)
            upstream.forget()
            upstream.opening = asyncio.Event()
            call = asyncio.create_task(link.request(tool("a", session=front), Memo()))
            await until(lambda: link._reopening)
            call.cancel()
            await asyncio.wait([call])
            await until(lambda: not link._reopening)

    run(story())
    assert "never retrieved" not in caplog.text


def test_a_session_from_before_the_upstream_kept_any_is_opened():
    async def story():
        upstream = McpServer(stateful=False)
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            assert front.upstream_id is None
            upstream.stateful = True
            answer = await link.request(tool("a", session=front), Memo())

            assert said(answer) == "a"
            assert front.upstream_id == "s-2"

    run(story())


def test_a_session_that_was_ended_while_it_was_opened_is_ended_again():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            upstream.forget()
            upstream.opening = asyncio.Event()
            call = asyncio.create_task(link.request(tool("a", session=front), Memo()))
            await until(lambda: link._reopening)
            front.closed = True
            call.cancel()
            await link.close(front)
            upstream.opening.set()

            await until(lambda: upstream.ended == ["s-2"])
            assert upstream.sessions == set()

    run(story())


def test_shutting_down_ends_an_opening():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            upstream.forget()
            upstream.opening = asyncio.Event()
            call = asyncio.create_task(link.request(tool("a", session=front), Memo()))
            await until(lambda: link._reopening)
            await link.shutdown()

            await asyncio.wait([call])
            assert not link._reopening

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        whole(error(1, -32602, "unknown session_id in arguments: no valid session"), "400 Bad"),
        whole(error(1, -32601, "Method not found"), "404 Not Found"),
        whole(error(1, -32001, "Session not found")),
    ],
)
def test_an_error_from_behind_the_door_is_never_replayed(answer):
    async def failing(wire, heard):
        wire.say(answer)

    async def story():
        upstream = McpServer(tool=failing)
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            one = at_server(b"1", front)  # what reaches the server as 1
            answered = await link.request(tool("a", session=front, id=one), Memo())

            assert answered.error is not None
            assert names(server) == ["a"]
            assert upstream.opened == 1

    run(story())


def test_two_front_sessions_have_two_upstream_sessions():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            fronts = [await begun(link, name, name) for name in ("a", "b")]
            upstream.forget()
            await asyncio.gather(
                *(link.request(tool(f.jti, session=f), Memo()) for f in fronts for _ in range(5))
            )

            used = {
                (each.message["params"]["name"], each.headers["mcp-session-id"])
                for each in server.heard
                if each.asked == "tools/call" and each.headers["mcp-session-id"] > "s-2"
            }
            assert used in ({("a", "s-3"), ("b", "s-4")}, {("a", "s-4"), ("b", "s-3")})
            assert upstream.opened == 4

    run(story())


def test_a_result_that_is_a_refusal_in_words_is_a_result():
    async def wordy(wire, heard):
        wire.say(whole(result(heard.message["id"], {"content": [{"text": "session not found"}]})))

    async def story():
        upstream = McpServer(tool=wordy)
        async with linked(upstream.script) as (_, link):
            front = await begun(link)

            assert said(await link.request(tool("a", session=front), Memo())) == "session not found"
            assert upstream.opened == 1

    run(story())
