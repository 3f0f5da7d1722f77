"""What the HTTP+SSE transport needs of the HTTP client."""

import asyncio
import contextlib

import pytest

from tests.torhaus.upstream.certificates import authority
from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import run, until
from tests.torhaus.upstream.servers.http_server import (
    LAST,
    STREAM,
    chunk,
    event,
    head,
    http_server,
    saying,
    whole,
)
from torhaus.model.ports import UpstreamError
from torhaus.upstream.http import BrokenError
from torhaus.upstream.plainhttp import PlainHttp

HEADERS = (("X-Token", "s3cret"),)


class Ears:
    def __init__(self):
        self.events, self.ends = [], []

    async def stream(self, http, url, headers=HEADERS):
        return await http.stream(url, headers, self.events.append, self.ends.append)


def plain(script, story, loop="uvloop", **more):
    async def play():
        async with http_server(script) as server:
            known = {"connect_timeout": 2.0, "timeout": 5.0, "ca_file": None}
            http = PlainHttp(server.url, **{**known, **more})
            try:
                await story(server, http)
            finally:
                http.close()

    run(play(), loop)


# Streams


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_tells_its_events_and_its_end(loop):
    async def script(wire):
        await wire.request()
        await wire.dribble(STREAM + chunk(event(b"/m", "event: endpoint")) + chunk(event(b"{}")))
        wire.say(LAST)

    async def story(server, http):
        ears = Ears()
        await ears.stream(http, server.url)
        await until(lambda: ears.ends)

        assert [(each.event, each.data) for each in ears.events] == [
            ("endpoint", b"/m"),
            (None, b"{}"),
        ]
        assert ears.ends == [None]
        heard = server.heard[0]
        assert (heard.method, heard.headers["accept"]) == ("GET", "text/event-stream")
        assert heard.headers["x-token"] == "s3cret"
        assert heard.headers["accept-encoding"] == "identity"

    plain(script, story, loop)


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_stream_that_breaks_says_so(how):
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(event(b"{}")))
        await wire.writer.drain()
        await asyncio.sleep(0.02)
        getattr(wire, how)()

    async def story(server, http):
        ears = Ears()
        await ears.stream(http, server.url)
        await until(lambda: ears.ends)

        assert isinstance(ears.ends[0], BrokenError)
        assert len(ears.ends) == 1

    plain(script, story)


def test_a_stream_may_end_with_its_connection():
    raw = head("200 OK", "content-type: text/event-stream") + event(b"{}")

    async def story(server, http):
        ears = Ears()
        await ears.stream(http, server.url)
        await until(lambda: ears.ends)

        assert ears.ends == [None]

    plain(saying(raw), story)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (whole(b"", "401 No"), "refused the gateway's credential"),
        (whole(b"", "404 No"), "it answered HTTP 404"),
        (whole(b"", "503 Busy"), "overloaded"),
        (whole(b"{}"), "did not answer with an MCP message"),
        (whole(b"", "302 Found"), "redirect"),
        (head("200 OK", "content-type: text/event-stream", "content-encoding: gzip"), "compressed"),
        (b"", "it closed the connection"),
        (b"garbage\r\n\r\n", "does not speak HTTP/1.1"),
    ],
)
def test_what_is_no_stream_is_an_error_and_leaves_no_connection(answer, sentence):
    async def story(server, http):
        ears = Ears()
        with pytest.raises(UpstreamError, match=sentence):
            await ears.stream(http, server.url)

        await until(lambda: not http._streams._all)
        assert (ears.events, ears.ends) == ([], [])

    plain(saying(answer), story)


def test_closing_a_stream_is_not_told_to_whoever_closes_it():
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(event(b"{}")))
        await wire.gone()

    async def story(server, http):
        ears = Ears()
        stream = await ears.stream(http, server.url)
        await until(lambda: ears.events)
        await stream.close()
        await stream.close()
        stream.pause()
        stream.resume()

        await until(lambda: all(task.done() for task in server.tasks))
        assert ears.ends == []

    plain(script, story)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_stream_can_be_paused(loop):
    async def script(wire):
        await wire.request()
        wire.say(STREAM)
        for _ in range(300):
            wire.say(chunk(event(b"x" * 50_000)))
            await wire.writer.drain()
        wire.say(LAST)

    async def story(server, http):
        ears = Ears()
        stream = await ears.stream(http, server.url)
        stream.pause()
        await asyncio.sleep(0.2)
        held = len(ears.events)
        assert held < 300
        stream.resume()

        await until(lambda: ears.ends)
        assert len(ears.events) == 300

    plain(script, story, loop)


def test_a_caller_that_gives_up_before_the_stream_begins_leaves_no_connection():
    async def script(wire):
        await wire.request()
        await wire.gone()

    async def story(server, http):
        task = asyncio.create_task(Ears().stream(http, server.url))
        await until(lambda: server.heard)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

        await until(lambda: not http._streams._all)

    plain(script, story)


def test_an_event_may_not_be_endless():
    async def script(wire):
        await wire.request()
        wire.say(STREAM, chunk(b"data: "))
        for _ in range(40):
            wire.say(chunk(b"x" * (1 << 20)))
            await wire.writer.drain()

    async def story(server, http):
        ears = Ears()
        await ears.stream(http, server.url)
        await until(lambda: ears.ends)

        assert "larger than 32 MiB" in str(ears.ends[0])

    plain(script, story)


# Posts


@pytest.mark.parametrize("loop", LOOPS)
def test_a_post_brings_status_and_body(loop):
    async def story(server, http):
        for _ in range(3):
            assert await http.post(server.url, HEADERS, b"{}") == (202, b"Accepted")

        assert len(server.wires) == 1
        assert {each.headers["content-type"] for each in server.heard} == {"application/json"}
        assert {each.headers["x-token"] for each in server.heard} == {"s3cret"}

    answer = whole(b"Accepted", "202 Accepted", "content-type: text/plain")
    plain(saying(answer, then="wait"), story, loop)


def test_a_post_goes_to_the_path_it_is_given():
    async def story(server, http):
        await http.post(server.url.replace("/mcp", "/messages?session=1"), (), b"{}")

        assert server.heard[0].path == "/messages?session=1"

    plain(saying(whole(b"")), story)


def test_a_post_that_is_not_answered_is_given_up():
    async def script(wire):
        await wire.request()
        await wire.gone()

    async def story(server, http):
        with pytest.raises(UpstreamError, match=r"did not answer within 0\.2 s"):
            await http.post(server.url, (), b"{}")

        await until(lambda: not http._posts._all)

    plain(script, story, timeout=0.2)


def test_a_post_that_is_given_up_closes_its_connection():
    async def script(wire):
        await wire.request()
        await wire.gone()

    async def story(server, http):
        task = asyncio.create_task(http.post(server.url, (), b"{}"))
        await until(lambda: server.heard)
        task.cancel()
        await asyncio.wait([task])

        await until(lambda: not http._posts._all)

    plain(script, story)


def test_a_post_is_never_sent_twice():
    async def script(wire):
        await wire.request()
        wire.say(whole(b""))
        await wire.request()
        wire.reset()

    async def story(server, http):
        await http.post(server.url, (), b"1")
        with pytest.raises(BrokenError):
            await http.post(server.url, (), b"2")

        assert [each.body for each in server.heard] == [b"1", b"2"]

    plain(script, story)


@pytest.mark.parametrize(
    ("answer", "sentence"),
    [
        (whole(b"\x1f", "200 OK", "content-encoding: gzip"), "compressed"),
        (whole(bytes((32 << 20) + 1)), "too large"),
        (b"garbage\r\n\r\n", "does not speak HTTP/1.1"),
    ],
)
def test_an_answer_to_a_post_that_cannot_be_used(answer, sentence):
    async def story(server, http):
        with pytest.raises(UpstreamError, match=sentence):
            await http.post(server.url, (), b"{}")

    plain(saying(answer), story)


@pytest.mark.parametrize("value", ["a\r\nx-evil: 1", "a\n", "\u00e9"])
def test_a_header_that_would_break_the_head_is_not_sent(value):
    async def story(server, http):
        for attempt in (
            http.post(server.url, (("x-a", value),), b"{}"),
            Ears().stream(http, server.url, (("x-a", value),)),
        ):
            with pytest.raises(UpstreamError, match="'x-a' configured for it"):
                await attempt

        assert server.heard == []
        await asyncio.sleep(0)
        assert len(http._posts._all) + len(http._streams._all) <= 2

    plain(saying(whole(b"")), story)


def test_a_private_authority_is_trusted(tmp_path):
    ours = authority(tmp_path)

    async def story():
        async with http_server(saying(whole(b"ok")), tls=ours.server()) as server:
            http = PlainHttp(server.url, connect_timeout=20.0, timeout=20.0, ca_file=ours.ca_file)
            assert await http.post(server.url, (), b"") == (200, b"ok")
            http.close()

    run(story())


def test_closing_ends_what_is_under_way():
    async def script(wire):
        heard = await wire.request()
        if heard.method == "GET":
            wire.say(STREAM)
        await wire.gone()

    async def story(server, http):
        ears = Ears()
        await ears.stream(http, server.url)
        post = asyncio.create_task(http.post(server.url, (), b"{}"))
        await until(lambda: len(server.heard) == 2)
        http.close()

        with pytest.raises(UpstreamError, match="shutting down"):
            await post
        assert "shutting down" in str(ears.ends[0])

    plain(script, story)
