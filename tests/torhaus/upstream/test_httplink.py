"""A streamable HTTP upstream behind one link: requests, retries, streams, the end."""

import asyncio
import json

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, ask, run, said, session, tool, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    error,
    event,
    http_server,
    note,
    result,
    saying,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import BOTH, MODERN, begun, linked
from torhaus.model.ports import UpstreamError
from torhaus.model.secret import Secret


def calls(server):
    return [each.message["params"]["name"] for each in server.heard if each.asked == "tools/call"]


# Requests


@pytest.mark.parametrize("loop", LOOPS)
def test_a_call_in_a_session_goes_out_and_comes_back(loop):
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            answers = await asyncio.gather(
                *(link.request(tool(str(n), session=front), Memo()) for n in range(20))
            )

            assert [said(each) for each in answers] == [str(n) for n in range(20)]
            heard = server.heard[-1]
            assert heard.headers["mcp-session-id"] == "s-1"
            assert heard.headers["mcp-protocol-version"] == "2025-11-25"
            assert link.state() == "ready"

    run(story(), loop)


def test_initialize_is_passed_on_as_it_came_and_brings_the_session():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)

            opening = server.heard[0]
            assert front.upstream_id == "s-1"
            assert "mcp-protocol-version" not in opening.headers
            assert "mcp-session-id" not in opening.headers
            assert opening.message["params"] == {
                "protocolVersion": "2025-11-25",
                "capabilities": {},
                "clientInfo": {},
            }

    run(story())


def test_a_stateless_call_repeats_its_body_in_headers():
    async def story():
        upstream = McpServer(eras=("modern",))
        async with linked(upstream.script, MODERN) as (server, link):
            answer = await link.request(tool("a"), Memo())

            assert said(answer) == "a"
            assert server.heard[0].headers["mcp-method"] == "tools/call"
            assert "mcp-session-id" not in server.heard[0].headers

    run(story())


def test_a_server_of_both_eras_is_spoken_to_in_the_callers():
    async def story():
        upstream = McpServer(eras=("legacy", "modern"))
        async with linked(upstream.script, BOTH) as (server, link):
            front = await begun(link)
            await link.request(tool("a", session=front), Memo())
            await link.request(tool("b"), Memo())

            versions = [each.headers.get("mcp-protocol-version") for each in server.heard]
            assert versions == [None, "2025-11-25", "2026-07-28"]

    run(story())


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (whole(b"<html>"), "it did not answer with an MCP message (HTTP 200)"),
        (whole(b"", "202 Accepted"), "it did not answer with an MCP message (HTTP 202)"),
        (whole(b"", "500 Oops"), "it answered HTTP 500"),
        (whole(b"", "401 Unauthorized"), "it refused the gateway's credential (HTTP 401)"),
        (whole(result(1), "403 Forbidden"), "it refused the gateway's credential (HTTP 403)"),
        (
            whole(error(1, -32000, "token expired"), "401 Unauthorized"),
            "it refused the gateway's credential (HTTP 401)",
        ),
        (
            whole(b"", "308 Moved", "location: http://evil.example/"),
            "it answered with a redirect (HTTP 308): correct its `url`",
        ),
        (
            whole(b'{"error":"slow down"}', "429 Too Many", "retry-after: 3"),
            "it is overloaded (HTTP 429, retry after 3 s)",
        ),
        (whole(result(2)), "it answered another request than the one it was sent"),
        (whole(b'{"jsonrpc":"2.0","id":"x"}'), "its answer holds neither a result nor an error"),
        (
            STREAM + chunk(event(note("n"))) + LAST,
            "it did not answer with an MCP message (HTTP 200)",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{", "it closed the connection"),
        (b"garbage\r\n\r\n", "it does not speak HTTP/1.1 properly"),
    ],
)
@pytest.mark.parametrize("modern", [True, False])
def test_what_is_no_answer_fails_with_a_sentence(answer, sentence, modern):
    async def story():
        async with linked(saying(answer), BOTH) as (_, link):
            with pytest.raises(UpstreamError) as caught:
                await link.request(tool("a", session=None if modern else session()), Memo())

            assert str(caught.value) == sentence
            if "request" not in sentence and "neither" not in sentence:
                assert link.state() == f"down: {sentence}"

    run(story())


@pytest.mark.parametrize(
    ("status", "shown"),
    [("200 OK", 200), ("400 Bad", 400), ("404 No", 404), ("500 Oops", 200), ("422 Odd", 200)],
)
def test_an_error_of_the_server_is_an_answer(status, shown):
    async def story():
        answer = whole(error("server-error", -32602, "Unknown tool"), status)
        async with linked(saying(answer), MODERN) as (_, link):
            answered = await link.request(tool("a"), Memo())

            assert json.loads(answered.error) == {"code": -32602, "message": "Unknown tool"}
            assert answered.status == shown

    run(story())


def test_an_upstream_that_is_down_and_comes_up_later():
    async def story():
        upstream = McpServer(eras=("modern",))
        async with http_server(upstream.script) as server:
            pass
        async with linked(upstream.script, MODERN, url=server.url) as (_, link):
            with pytest.raises(UpstreamError, match=r"no connection to .*: Connection refused"):
                await link.request(tool("b"), Memo())
            assert link.state().startswith("down: no connection")
            async with http_server(upstream.script, port=server.port):
                assert said(await link.request(tool("c"), Memo())) == "c"
            assert link.state() == "ready"

    run(story())


def test_a_silent_server_is_given_up_and_its_connection_closed():
    async def script(wire):
        await wire.request()
        await wire.gone()

    async def story():
        async with linked(script, MODERN) as (server, link):
            with pytest.raises(UpstreamError, match=r"it did not answer within 0\.2 s"):
                await link.request(tool("a", timeout=0.2), Memo())

            await until(lambda: all(task.done() for task in server.tasks))

    run(story())


def test_progress_keeps_a_long_call_alive():
    async def script(wire):
        await wire.request()
        wire.say(STREAM)
        for n in range(8):
            await asyncio.sleep(0.25)
            wire.say(chunk(event(note("notifications/progress", progress=n))))
        wire.say(chunk(event(result(1))), LAST)

    async def story():
        async with linked(script, MODERN) as (_, link):
            memo = Memo()
            answer = await link.request(tool("a", timeout=1.5), memo)

            assert answer.result is not None
            assert len(memo.notices) == 8

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("streaming", [True, False])
def test_a_cancelled_call_closes_its_connection(streaming, loop):
    async def script(wire):
        await wire.request()
        if streaming:
            wire.say(STREAM, chunk(event(note("n"))))
        await wire.gone()

    async def story():
        async with linked(script, MODERN) as (server, link):
            memo = Memo()
            call = asyncio.create_task(link.request(tool("a"), memo))
            await until(lambda: server.heard and (memo.notices or not streaming))
            call.cancel()
            with pytest.raises(asyncio.CancelledError):
                await call

            await until(lambda: all(task.done() for task in server.tasks))
            await until(lambda: not link._carrier._pool._all)

    run(story(), loop)


# The end


READ = ("resources/read", {"uri": "x:y"})


def test_a_session_that_ends_is_deleted_once():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            await link.close(front)
            await link.close(front)

            assert upstream.ended == ["s-1"]
            assert [each.method for each in server.heard].count("DELETE") == 1

    run(story())


@pytest.mark.parametrize("answer", [whole(b"", "405 No"), b"garbage\r\n\r\n", b""])
def test_ending_a_session_never_fails(answer):
    async def story():
        async with linked(saying(answer)) as (_, link):
            front = session()
            front.upstream_id = "s-1"
            await link.close(front)

            assert front.upstream_id is None

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_shutting_down_ends_calls_streams_and_connections(loop):
    async def stream(wire, heard):
        wire.say(STREAM)
        await wire.gone()

    async def wait(wire, heard):
        if heard.message["params"]["name"] == "slow":
            await wire.gone()
        wire.say(whole(result(heard.message["id"], {"content": [{"text": "ok"}]})))

    async def story():
        upstream = McpServer(tool=wait, stream=stream)
        async with linked(upstream.script) as (server, link):
            front, memo = await begun(link), Memo()
            call = asyncio.create_task(link.request(tool("slow", session=front), Memo()))
            listen = asyncio.create_task(link.listen(front, None, memo))
            await until(lambda: memo.established and calls(server) == ["slow"])
            await link.shutdown()

            for task in (call, listen):
                with pytest.raises(UpstreamError, match="the gateway is shutting down"):
                    await task
            with pytest.raises(UpstreamError, match="the gateway is shutting down"):
                await link.request(tool("late", session=front), Memo())
            await until(lambda: all(task.done() for task in server.tasks))

    run(story(), loop)


def test_the_credential_goes_with_every_kind_of_request():
    async def stream(wire, heard):
        wire.say(STREAM, LAST)

    async def story():
        upstream = McpServer(stream=stream)
        headers = (("Authorization", Secret("Bearer s3cret")),)
        async with linked(upstream.script, headers=headers) as (server, link):
            front = await begun(link)
            await link.request(tool("a", session=front), Memo())
            await link.post(front, "alice", note("n"))
            await link.listen(front, None, Memo())
            await link.close(front)

            assert {each.headers["authorization"] for each in server.heard} == {"Bearer s3cret"}
            assert {each.method for each in server.heard} == {"POST", "GET", "DELETE"}

    run(story())


def test_a_redirect_takes_the_credential_nowhere():
    async def story():
        async with linked(McpServer().script) as (other, _):
            moved = whole(b"", "307 Temporary Redirect", f"location: {other.url}")
            headers = (("Authorization", Secret("Bearer s3cret")),)
            async with linked(saying(moved), MODERN, headers=headers) as (_, link):
                with pytest.raises(UpstreamError, match="redirect"):
                    await link.request(ask(*READ), Memo())

            assert other.heard == []

    run(story())
