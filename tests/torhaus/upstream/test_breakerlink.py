"""Servers that misbehave: calls stop waiting for them, and people hear of it once."""

import asyncio
import time

import msgspec
import pytest
import structlog

from tests.torhaus.upstream.certificates import authority
from tests.torhaus.upstream.moody import (
    BY_CALL,
    MOODS,
    SILENCE,
    SLOW,
    Moody,
    at_ease,
    broken,
    denied,
    fail,
    hang_up,
    linking,
    looked_after,
    never,
    not_found,
)
from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, run, tool, until
from tests.torhaus.upstream.servers.http_server import http_server
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import call
from torhaus.model.health import Condition

# Opening


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("mood", MOODS, ids=lambda mood: mood.__name__)
def test_after_the_configured_failures_calls_fail_at_once(mood, loop):
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url, SLOW)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                for wire in server.wires:
                    wire.writer.transport.abort()
                moody.mood = mood
                seen = []
                for _ in range(3):
                    await fail(link, 1)
                    seen.append(link.health().state)
                asked = moody.calls
                (sentence,) = await fail(link, 1)

                assert seen == [Condition.FAILING, Condition.FAILING, Condition.DOWN]
                assert moody.calls == asked
                assert sentence.startswith("it is down since ")
                assert "the next try is in " in sentence
                health = link.health()
                assert health.failures == 3
                assert health.opened == 1
                assert health.next_try > health.error_at >= health.since

    run(story(), loop)


def test_a_port_where_nobody_listens_is_down():
    async def story():
        async with http_server(McpServer().script) as server:
            pass
        known = looked_after(server.url, SLOW)
        async with linking(known) as links:
            first, *_, last = await fail(links.link(known), 4)

            assert first.endswith("Connection refused")
            assert "Connection refused; the next try is in" in last

    run(story())


def test_a_server_that_cannot_prove_who_it_is_is_down(tmp_path):
    async def story():
        tls = authority(tmp_path).server()
        async with http_server(McpServer().script, tls=tls) as server:
            known = looked_after(server.url, SLOW)
            async with linking(known) as links:
                *_, last = await fail(links.link(known), 4)

                assert "TLS with" in last
                assert links.health(known).state is Condition.DOWN

    run(story())


def test_what_is_about_one_call_alone_opens_nothing():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                moody.mood = not_found
                await fail(link, 10)
                moody.mood = never
                for _ in range(10):
                    await hang_up(link)

                assert link.health().state is Condition.READY

    run(story())


def test_one_tool_that_hangs_does_not_close_the_way_to_the_others():
    async def story():
        async def tool_or_not(wire, heard):
            if heard.message["params"]["name"] != "hang":
                await McpServer().tool(wire, heard)

        upstream = McpServer(eras=("modern",), tool=tool_or_not)
        async with http_server(upstream.script) as server:
            known = looked_after(server.url)
            async with linking(known) as links:
                link = links.link(known)
                await call(link)
                hanging = [
                    asyncio.ensure_future(link.request(tool("hang", timeout=SILENCE), Memo()))
                    for _ in range(9)
                ]
                await until(lambda: len(server.heard) > 9)
                await call(link)
                found = await asyncio.gather(*hanging, return_exceptions=True)

                assert {str(each) for each in found} == {"it did not answer within 0.25 s"}
                assert link.health().state is Condition.READY

    run(story())


# Credentials


def test_a_refused_credential_is_a_state_of_its_own_without_the_credential():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            upkeep = msgspec.structs.replace(BY_CALL, wait=2.0, longest=2.0)
            known = looked_after(server.url, upkeep)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                moody.mood = denied
                first, *_, last = await fail(link, 4)

                assert first == "it refused the gateway's credential (HTTP 401)"
                assert last.startswith("it is not usable since ")
                assert "it refused the gateway's credential (HTTP 401); the next try" in last
                assert link.health().state is Condition.REFUSED

                moody.mood = None
                await until(lambda: time.time() > link.health().next_try)
                await at_ease(link)

    run(story())


# News


def test_going_down_and_coming_back_are_news_once():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                with structlog.testing.capture_logs() as logs:
                    moody.mood = broken
                    await fail(link, 30)
                    moody.mood = None
                    await until(lambda: link.health().state is Condition.READY)
                    await at_ease(link)

                assert [each["event"] for each in logs] == ["upstream.down", "upstream.back"]
                assert logs[0]["server"] == "web"
                assert logs[0]["error"] == "it answered HTTP 500"

    run(story())
