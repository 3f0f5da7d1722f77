"""Verdicts about an upstream grow old and may become wrong (checklist U3)."""

import asyncio
import contextlib

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, ask, run, session, tool, until
from tests.torhaus.upstream.servers.http_server import http_server, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.servers.sse_server import sse_server
from tests.torhaus.upstream.webs import auto, call, town
from torhaus.model.ports import UpstreamError
from torhaus.upstream.autolink import AGAIN
from torhaus.upstream.httplink import HttpLink
from torhaus.upstream.tasklink import TaskLink

# Verdicts grow old


def test_a_verdict_is_formed_again_while_the_old_one_serves():
    gate = asyncio.Event()
    upstream = McpServer()

    async def script(wire):
        while True:
            heard = await wire.request()
            if heard.asked == "server/discover" and upstream.opened > 1:
                await gate.wait()
            await upstream.react(wire, heard)

    async def story():
        async with town(script, lifetime=0.1) as (server, link):
            await call(link)
            chosen = link._chosen
            await asyncio.sleep(0.15)
            upstream.eras = ("legacy", "modern")

            assert await call(link, "meanwhile") == "meanwhile"
            assert server.heard[-1].headers["mcp-protocol-version"] == "2025-11-25"
            gate.set()
            await until(lambda: chosen.facts.modern)
            assert link._chosen is chosen
            await call(link)
            sent = [each for each in server.heard if each.asked == "tools/call"]
            assert sent[-1].headers["mcp-protocol-version"] == "2026-07-28"

    run(story())


def test_when_learning_again_fails_the_old_verdict_stays():
    async def story():
        upstream = McpServer()
        async with town(upstream, lifetime=0.05) as (server, link):
            await call(link)
            upstream.foreign = whole(b"", "503 Busy")
            await asyncio.sleep(0.1)
            for name in "abc":
                assert await call(link, name) == name
            await until(lambda: link._choosing is None)

            assert await call(link) == "a"
            assert link.state() == "ready"
            assert server.asked().count("server/discover") == 2  # not again at once

    run(story())


@pytest.mark.parametrize(("eras", "then"), [(("modern",), ("legacy",)), (("legacy",), ("modern",))])
def test_a_server_that_changed_its_era_is_found_out(eras, then):
    async def story():
        upstream = McpServer(eras=eras)
        async with town(upstream) as (_, link):
            await call(link)
            upstream.eras = then
            upstream.forget()
            link._learned_at -= AGAIN + 1
            with contextlib.suppress(UpstreamError):
                await link.request(tool("x"), Memo())
            with contextlib.suppress(UpstreamError):
                await link.request(tool("y"), Memo())
            await until(lambda: link._choosing is None)

            assert await call(link, "z") == "z"

    run(story())


def test_doubts_right_after_learning_are_not_believed():
    async def story():
        upstream = McpServer(eras=("modern",))
        async with town(upstream) as (server, link):
            await call(link)
            upstream.eras = ()
            for _ in range(5):
                answer = await link.request(tool("x"), Memo())
                assert answer.error is not None

            assert server.asked().count("server/discover") == 1

    run(story())


def test_a_server_that_moved_to_the_newer_transport_is_followed():
    async def story():
        upstream = McpServer()
        async with contextlib.AsyncExitStack() as later:
            async with sse_server() as old:
                link = await later.enter_async_context(auto(old.url, lifetime=0.05))
                await call(link)
                assert isinstance(link._chosen, TaskLink)
            await later.enter_async_context(http_server(upstream.script, port=old.port))
            await asyncio.sleep(0.1)
            with contextlib.suppress(UpstreamError):
                await call(link)
            await until(lambda: link._choosing is None)

            assert isinstance(link._chosen, HttpLink)
            assert await call(link, "new") == "new"

    run(story())


def test_a_server_that_moved_to_the_older_transport_is_followed():
    async def story():
        upstream = McpServer()
        async with sse_server() as old, town(upstream, lifetime=0.05) as (new, link):
            await call(link)
            http = link._chosen
            upstream.eras = ()
            upstream.foreign = whole(b"", "404 Not Found")
            link._address = msgspec.structs.replace(link._address, url=old.url)
            await asyncio.sleep(0.1)
            with contextlib.suppress(UpstreamError):
                await call(link)
            await until(lambda: link._choosing is None)

            assert isinstance(link._chosen, TaskLink)
            assert await call(link) == "a"
            with pytest.raises(UpstreamError, match="shutting down"):
                await http.request(ask("tools/list", session=session()), Memo())
            await until(lambda: all(task.done() for task in new.tasks))

    run(story())
