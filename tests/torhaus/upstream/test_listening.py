"""Streams of a session: listening, resuming, and what is posted beside them."""

import asyncio
import contextlib
import json

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, said, session, tool, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    dying,
    echo,
    error,
    event,
    head,
    note,
    result,
    saying,
    whole,
)
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import BOTH, LEGACY, MODERN, begun, linked
from torhaus.model.ports import Detached, NoStream, UpstreamError
from torhaus.upstream.facts import Facts
from torhaus.upstream.whose import at_server

READ = ("resources/read", {"uri": "x:y"})


# Streams that the client may resume


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_session_caller_may_fetch_an_answer_that_the_stream_left_out(how):
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(event(note("n"), "id: e1")))
        await wire.writer.drain()
        await asyncio.sleep(0.02)
        wire.say(LAST) if how == "end" else wire.reset()

    async def story():
        async with linked(script, LEGACY) as (_, link):
            memo = Memo()
            with pytest.raises(Detached):
                await link.request(tool("a", session=session()), memo)

            assert memo.notices[0].event_id == "e1"

    run(story())


def test_a_stateless_caller_has_nothing_to_resume():
    async def story():
        answer = STREAM + chunk(event(note("n"), "id: e1")) + LAST
        async with linked(saying(answer), MODERN) as (_, link):
            with pytest.raises(UpstreamError, match="it ended the stream before") as caught:
                await link.request(tool("a"), Memo())

            assert not isinstance(caught.value, Detached)

    run(story())


# Listening


@contextlib.asynccontextmanager
async def listening(link, front, memo, last=None):
    task = asyncio.create_task(link.listen(front, last, memo))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.wait([task])


def test_a_listening_stream_delivers_until_the_caller_goes():
    async def stream(wire, heard):
        wire.say(STREAM, chunk(event(note("notifications/tools/list_changed"), "id: e1")))
        await wire.gone()

    async def story():
        upstream = McpServer(stream=stream)
        async with linked(upstream.script) as (server, link):
            front, memo = await begun(link), Memo()
            async with listening(link, front, memo, "e0"):
                await until(lambda: memo.notices)
                assert memo.established
                assert said(await link.request(tool("a", session=front), Memo())) == "a"

            get = next(each for each in server.heard if each.method == "GET")
            assert get.headers["last-event-id"] == "e0"
            assert get.headers["mcp-session-id"] == "s-1"
            await until(lambda: not link._carrier._streams._all)
            assert memo.throttle is None

    run(story())


@pytest.mark.parametrize(
    "answer",
    [
        head("405 Method Not Allowed", "content-length: 0"),
        whole(b"", "501 Not Implemented"),
        whole(b"<html>app</html>", "200 OK", "content-type: text/html"),
        whole(b"{}"),
    ],
)
def test_a_server_without_such_a_stream_says_so(answer):
    async def stream(wire, heard):
        wire.say(answer)

    async def story():
        async with linked(McpServer(stream=stream).script) as (_, link):
            front = await begun(link)
            with pytest.raises(NoStream):
                await link.listen(front, None, Memo())

    run(story())


def test_a_server_without_sessions_may_not_know_the_path_for_get():
    async def stream(wire, heard):
        wire.say(whole(b"", "404 Not Found"))

    async def story():
        upstream = McpServer(stateful=False, stream=stream)
        async with linked(upstream.script) as (_, link):
            front = await begun(link)
            with pytest.raises(NoStream):
                await link.listen(front, None, Memo())

            assert upstream.opened == 1

    run(story())


def test_a_stream_that_is_refused_is_an_error():
    async def stream(wire, heard):
        wire.say(whole(b"", "503 Busy", "retry-after: 9"))

    async def story():
        async with linked(McpServer(stream=stream).script) as (_, link):
            front = await begun(link)
            with pytest.raises(UpstreamError, match="overloaded"):
                await link.listen(front, None, Memo())

    run(story())


def test_a_stateless_server_that_announces_nothing_has_no_such_stream():
    async def story():
        silent = Facts(discover=b'{"capabilities":{"tools":{},"resources":{"subscribe":false}}}')
        async with linked(McpServer(eras=("modern",)).script, silent) as (server, link):
            with pytest.raises(NoStream):
                await link.listen(session(), None, Memo())

            assert server.heard == []

    run(story())


def test_many_streams_do_not_starve_calls():
    async def stream(wire, heard):
        wire.say(STREAM)
        await wire.gone()

    async def story():
        async with linked(McpServer(stream=stream).script) as (_, link):
            front = await begun(link)
            async with contextlib.AsyncExitStack() as stack:
                memos = [Memo() for _ in range(600)]
                for memo in memos:
                    await stack.enter_async_context(listening(link, front, memo))
                await until(lambda: all(memo.established for memo in memos), 20.0)

                assert said(await link.request(tool("a", session=front), Memo())) == "a"

    run(story())


@pytest.mark.parametrize("id", [b"7", b'"7"', b"-7", b"9" * 18])
@pytest.mark.parametrize(
    "said", [result, lambda id: error(id, -32603, "no")], ids=["result", "error"]
)
def test_a_resumed_stream_delivers_an_answer_under_its_callers_id(id, said):
    """At another gateway, too, or after a restart: the session is all that both know."""

    async def detach(wire, heard):
        wire.say(STREAM, chunk(b"id: e1\ndata:\n\n"), LAST)

    async def stream(wire, heard):
        asked = next(each for each in wire.heard if each.asked == "tools/call")
        wire.say(STREAM, chunk(event(said(asked.message["id"]), "id: e2")), LAST)

    async def story():
        upstream = McpServer(tool=detach, stream=stream)
        async with linked(upstream.script) as (server, link), linked(echo, url=server.url) as two:
            front, memo = await begun(link), Memo()
            with pytest.raises(Detached):
                await link.request(tool("a", id=id, session=front), Memo())
            again = session()
            again.upstream_id = front.upstream_id
            await two[1].listen(again, "e1", memo)

            (notice,) = memo.notices
            assert (notice.method, notice.id, notice.event_id) == (None, id, "e2")
            assert json.loads(notice.body)["id"] == json.loads(id)

    run(story())


def test_an_answer_of_another_session_on_such_a_stream_goes_to_nobody():
    async def stream(wire, heard):
        other = json.loads(at_server(b'"7"', session("s2", "carol")))
        wire.say(STREAM, chunk(event(result(other), "id: e2")), LAST)

    async def story():
        async with linked(McpServer(stream=stream).script) as (_, link):
            front, memo = await begun(link), Memo()
            await link.listen(front, "e1", memo)

            assert memo.notices == []

    run(story())


# Posting


def test_a_notification_goes_out_in_its_session():
    async def story():
        upstream = McpServer()
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            body = note("notifications/initialized")
            await link.post(front, "alice", body)

            assert server.heard[-1].body == body
            assert upstream.initialized == ["s-1"]

    run(story())


@pytest.mark.parametrize("id", [b"1", b'"1"'])
def test_a_cancellation_names_the_request_as_the_server_knows_it(id):
    async def hang(wire, heard):
        await wire.gone()

    async def story():
        upstream = McpServer(tool=hang)
        async with linked(upstream.script) as (server, link):
            front = await begun(link)
            call = asyncio.create_task(link.request(tool("a", id=id, session=front), Memo()))
            await until(lambda: "tools/call" in server.asked())
            asked = server.heard[-1].message["id"]
            body = note("notifications/cancelled", requestId=json.loads(id), reason="enough")
            await link.post(
                front, "alice", json.dumps(json.loads(body), separators=(",", ":")).encode()
            )

            assert server.heard[-1].message["params"] == {"requestId": asked, "reason": "enough"}
            call.cancel()
            await asyncio.wait([call])

    run(story())


def test_a_notification_survives_a_dead_connection():
    async def story():
        script, taken = dying()
        async with linked(script) as (_, link):
            await link.request(ask(*READ, session=session()), Memo())
            await link.post(session(), "alice", b'{"jsonrpc":"2.0","id":5,"method":"x"}')

            assert taken == ["x"]

    run(story())


def test_a_refused_notification_is_an_error():
    async def story():
        async with linked(saying(whole(b"", "500 Oops"))) as (_, link):
            with pytest.raises(UpstreamError, match="HTTP 500"):
                await link.post(session(), "alice", note("n"))

    run(story())


@pytest.mark.parametrize(("facts", "front"), [(MODERN, session()), (BOTH, None)])
def test_the_newer_era_has_nothing_to_post(facts, front):
    async def story():
        async with linked(McpServer().script, facts) as (server, link):
            await link.post(front, "alice", note("n"))

            assert server.heard == []

    run(story())
