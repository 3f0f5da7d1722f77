"""The deprecated HTTP+SSE transport, over real sockets."""

import asyncio
import contextlib

import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, said, secret, session, tool, until
from tests.torhaus.upstream.servers.sse_server import sse_server
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import HttpAddress, Server
from torhaus.upstream.oldsse import oldsse_opener
from torhaus.upstream.pipelink import PipeLink
from torhaus.upstream.plainhttp import PlainHttp


def quiet():
    """A call that this server does not answer."""
    return ask("prompts/get", {"name": "x"}, session=session())


@contextlib.asynccontextmanager
async def linked(old, *, wait=5.0):
    address = HttpAddress(url=old.url, headers=(("x-token", secret("s3cret")),))
    server = Server(name="old", address=address)
    http = PlainHttp(old.url, connect_timeout=20.0, timeout=30.0, ca_file=None)
    opener = oldsse_opener("old", address, http, wait)
    link = PipeLink(server, opener, on_shutdown=http.close)
    try:
        yield link
    finally:
        await link.shutdown()


def test_a_call_goes_by_post_and_the_answer_comes_on_the_stream():
    async def story():
        async with sse_server() as old, linked(old) as link:
            answers = await asyncio.gather(
                *(link.request(tool(str(n), session=session()), Memo()) for n in range(20))
            )

            assert [said(answer) for answer in answers] == [str(n) for n in range(20)]
            assert old.opened == 1
            assert [m["method"] for m in old.heard[:2]] == [
                "initialize",
                "notifications/initialized",
            ]
            assert all("x-token: s3cret" in head for head in old.heads)

    run(story())


@pytest.mark.parametrize(
    "endpoint",
    [
        "/messages?session={number}",
        "messages?session={number}",
        "http://127.0.0.1:{port}/m?session={number}",
    ],
)
def test_the_endpoint_may_be_relative_or_absolute(endpoint):
    async def story():
        async with sse_server(endpoint=endpoint) as old, linked(old) as link:
            assert said(await link.request(tool("a", session=session()), Memo())) == "a"

    run(story())


@pytest.mark.parametrize(
    "endpoint",
    [
        "http://evil.example/m?session={number}",
        "//evil.example/m?session={number}",
        "https://127.0.0.1:{port}/m?session={number}",
        "http://127.0.0.1:1/m?session={number}",
        "http://user@127.0.0.1:{port}/m?session={number}",
        "http://127.0.0.1:{port}@evil.example/m",
        "http://127.0.0.1:99999/m",
        "file:///etc/passwd",
        "/m x?session={number}",
        "http://[::1",
    ],
)
def test_an_endpoint_of_another_origin_never_gets_our_credential(endpoint):
    async def story():
        async with sse_server(endpoint=endpoint) as old, linked(old) as link:
            with pytest.raises(UpstreamError, match="not on its own origin"):
                await link.request(tool("a", session=session()), Memo())

            assert all(head.startswith("get /sse") for head in old.heads)

    run(story())


def test_a_server_that_names_no_endpoint_is_given_up():
    async def story():
        async with sse_server(endpoint=None) as old, linked(old, wait=0.2) as link:
            with pytest.raises(UpstreamError, match=r"named no endpoint within 0\.2 s"):
                await link.request(tool("a", session=session()), Memo())

    run(story())


def test_a_forgotten_session_is_opened_again_behind_the_callers_back():
    async def story():
        async with sse_server() as old, linked(old) as link:
            await link.request(tool("a", session=session()), Memo())
            old.forget()
            answer = await link.request(tool("b", session=session()), Memo())

            assert said(answer) == "b"
            assert old.opened == 2
            names = [m["params"]["name"] for m in old.heard if m["method"] == "tools/call"]
            assert names == ["a", "b"]

    run(story())


def test_a_lost_stream_fails_what_was_under_way_and_nothing_else():
    async def story():
        async with sse_server() as old, linked(old) as link:
            await link.request(tool("a", session=session()), Memo())
            silent = asyncio.ensure_future(link.request(quiet(), Memo()))
            await until(lambda: any(m["method"] == "prompts/get" for m in old.heard))
            old.drop()
            with pytest.raises(UpstreamError, match="its event stream"):
                await silent

            assert said(await link.request(tool("b", session=session()), Memo())) == "b"
            calls = [m for m in old.heard if m["method"] == "prompts/get"]
            assert len(calls) == 1  # sent once: it may have had effects

    run(story())


@pytest.mark.parametrize("status", [b"401 Unauthorized", b"500 Oops", b"400 Bad Request"])
def test_a_refused_message_fails_its_call_without_a_second_try(status):
    async def story():
        async with sse_server() as old, linked(old) as link:
            await link.request(tool("a", session=session()), Memo())
            old.refuse = (status, b"no, s3cret")
            posts = len(old.heads)
            with pytest.raises(UpstreamError, match=f"HTTP status {status[:3].decode()}$"):
                await link.request(tool("b", session=session()), Memo())

            assert len(old.heads) == posts + 1

    run(story())


def test_nobody_there_is_an_error_with_a_sentence():
    async def story():
        async with sse_server() as old:
            pass
        async with linked(old) as link:
            with pytest.raises(UpstreamError, match="no connection to"):
                await link.request(tool("a", session=session()), Memo())

    run(story())


def test_a_cancelled_call_is_called_off():
    async def story():
        async with sse_server() as old, linked(old) as link:
            call = asyncio.ensure_future(link.request(quiet(), Memo()))
            await until(lambda: any(m["method"] == "prompts/get" for m in old.heard))
            call.cancel()
            await asyncio.wait([call])
            await until(lambda: old.heard[-1]["method"] == "notifications/cancelled")

            assert old.heard[-1]["params"] == {"requestId": old.heard[-2]["id"]}

    run(story())
