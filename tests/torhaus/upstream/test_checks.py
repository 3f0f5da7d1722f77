"""Looks at servers that are nobody's calls."""

import time

import pytest

from tests.torhaus.upstream.pipes import Memo, run, tool
from tests.torhaus.upstream.pipes import linked as piped
from tests.torhaus.upstream.servers.http_server import whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import town
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Sharing
from torhaus.upstream.checks import ALL


def test_a_stateless_server_is_asked_what_it_is():
    async def story():
        async with town(McpServer(eras=("modern",))) as (server, link):
            await link.check(20.0)
            del server.heard[:]

            assert await link.check(20.0) == {ALL: None}
            assert server.asked() == ["server/discover"]

    run(story())


def test_a_server_with_sessions_is_pinged_in_one_that_is_kept_and_ended():
    async def story():
        upstream = McpServer()
        async with town(upstream) as (server, link):
            await link.check(20.0)
            del server.heard[:]

            assert await link.check(20.0) == {ALL: None}
            assert server.asked() == ["ping"]
            assert len(upstream.sessions) == 1
        assert upstream.sessions == set()

    run(story())


def test_a_session_that_the_server_has_forgotten_is_opened_again():
    async def story():
        upstream = McpServer()
        async with town(upstream) as (_, link):
            await link.check(20.0)
            upstream.sessions.clear()

            assert await link.check(20.0) == {ALL: None}

    run(story())


def test_a_server_that_is_broken_fails_its_check():
    async def story():
        broken = False

        async def script(wire):
            while True:
                heard = await wire.request()
                if broken:
                    wire.say(whole(b"oops", "500 Internal Server Error"))
                else:
                    await upstream.react(wire, heard)

        upstream = McpServer()
        async with town(script) as (_, link):
            assert await link.check(20.0) == {ALL: None}
            broken = True
            with pytest.raises(UpstreamError, match="HTTP 500"):
                await link.check(20.0)
            broken = False

    run(story())


def test_processes_that_live_are_pinged_and_others_are_not_started():
    async def story():
        async with piped() as link:
            assert await link.check(20.0) == {}
            await link.request(tool("heard"), Memo())

            assert await link.check(20.0) == {"alice": None}

    run(story())


def test_a_process_that_all_share_is_started_to_see_whether_it_can_be():
    async def story():
        async with piped(sharing=Sharing.SHARED) as link:
            assert await link.check(20.0) == {ALL: None}
            assert link.state() == "ready"

    run(story())


def test_a_server_that_hangs_at_the_end_does_not_keep_the_gateway():
    async def story():
        upstream, hanging = McpServer(), False

        async def script(wire):
            while True:
                heard = await wire.request()
                if hanging:
                    await wire.gone()
                    return
                await upstream.react(wire, heard)

        async with town(script, timeout=40.0) as (_, link):
            await link.check(20.0)
            hanging = True
            began = time.perf_counter()
        assert time.perf_counter() - began < 20.0

    run(story())
