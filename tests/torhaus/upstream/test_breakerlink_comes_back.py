"""Servers that were down come back, others never notice, and nobody has to call for it."""

import asyncio
import time

import msgspec
import pytest
import structlog

from tests.torhaus.upstream.moody import (
    BY_CALL,
    QUICK,
    SILENCE,
    SLOW,
    Moody,
    ask,
    at_ease,
    broken,
    fail,
    hang_up,
    linking,
    looked_after,
    never,
)
from tests.torhaus.upstream.pipes import Memo, address, run, tool, until
from tests.torhaus.upstream.servers.http_server import http_server
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import call
from torhaus.model.health import Condition
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Server, Sharing

# Coming back


def test_a_check_finds_it_well_and_no_call_has_to_try():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                moody.mood = broken
                await fail(link, 3)
                moody.mood, calls = None, moody.calls
                await until(lambda: link.health().state is Condition.READY)

                assert moody.calls == calls
                assert await call(link) == "a"
                assert link.health().checks == 1

    run(story())


@pytest.mark.parametrize("upkeep", [BY_CALL, QUICK])
def test_however_many_wait_only_one_tries_a_server_that_is_down(upkeep):
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url, upkeep)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                moody.mood = never
                await fail(link, 3)
                heard, down = len(server.heard), time.monotonic()
                while time.monotonic() - down < 0.6:
                    herd = (ask(link) for _ in range(50))
                    await asyncio.gather(*herd, return_exceptions=True)
                    await asyncio.sleep(0.01)

                # Due after 0.2 to 0.4 s, silent for 0.25 s and more, due again after 0.4 to 0.8 s.
                assert len(server.heard) - heard <= 1 + (time.monotonic() - down) / 0.45

    run(story())


def test_the_first_call_that_is_answered_lets_all_others_pass():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url, BY_CALL)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                moody.mood = broken
                await fail(link, 3)
                moody.mood = None
                with structlog.testing.capture_logs() as logs:
                    await until(lambda: time.time() > link.health().next_try)
                    await call(link)

                assert [each["event"] for each in logs] == ["upstream.back"]
                assert all([await call(link) == "a" for _ in range(20)])

    run(story())


def test_a_try_whose_caller_hangs_up_leaves_it_to_the_next_one():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url, BY_CALL)
            async with linking(known) as links:
                link = links.link(known)
                await at_ease(link)
                moody.mood = broken
                await fail(link, 3)
                moody.mood = never
                await until(lambda: time.time() > link.health().next_try)
                await hang_up(link)
                moody.mood = None

                assert await call(link) == "a"

    run(story())


def test_a_server_that_answers_checks_but_no_calls_is_left_alone_longer_and_longer():
    async def story():
        async def tool_fails(wire, _heard):
            await broken(wire)

        upstream = McpServer(eras=("modern",), tool=tool_fails)
        async with http_server(upstream.script) as server:
            known = looked_after(server.url)
            async with linking(known) as links:
                link = links.link(known)
                await fail(link, 3)
                await until(lambda: link.health().state is Condition.READY)
                await fail(link, 1)

                health = link.health()
                assert health.state is Condition.DOWN
                assert health.opened == 2
                assert health.next_try - health.error_at > 0.35  # half of 0.8 at least

    run(story())


# Looking after it while it is well


def test_a_server_that_nobody_calls_is_found_down_and_back():
    async def story():
        moody = Moody()
        async with http_server(moody.script) as server:
            known = looked_after(server.url, msgspec.structs.replace(QUICK, interval=0.05))
            async with linking(known) as links:
                await until(lambda: links.health(known).state is Condition.READY)
                moody.mood = broken
                await until(lambda: links.health(known).state is Condition.DOWN)
                assert links.health(known).failed_checks >= 3
                moody.mood = None
                await until(lambda: links.health(known).state is Condition.READY)
                assert moody.calls == 0

    run(story())


def test_a_server_whose_slowest_twentieth_is_too_slow_says_so():
    async def story():
        async def slowly(wire, heard):
            await asyncio.sleep(0.01)
            await McpServer().tool(wire, heard)

        upstream = McpServer(eras=("modern",), tool=slowly)
        async with http_server(upstream.script) as server:
            known = looked_after(server.url, msgspec.structs.replace(QUICK, slow=0.01))
            async with linking(known) as links:
                await asyncio.gather(*(call(links.link(known)) for _ in range(20)))
                health = links.health(known)
                links.retain([msgspec.structs.replace(known, health=QUICK)])

                assert health.state is Condition.SLOW
                assert health.p95 >= 0.01
                assert links.health(known).state is Condition.READY

    run(story())


# Processes


def program(*manners, **more):
    return Server(name="fixture", address=address(*manners), health=SLOW, **more)


def test_a_program_that_crashes_in_a_loop_is_down_for_whom_it_crashes():
    async def story():
        known = program()
        async with linking(known) as links:
            link = links.link(known)
            for _ in range(3):
                with pytest.raises(UpstreamError, match="exit code 7"):
                    await link.request(tool("crash"), Memo())
            with pytest.raises(UpstreamError, match="it is down since"):
                await link.request(tool("crash"), Memo())
            assert links.health(known).state is Condition.DOWN

            await link.request(tool("heard", who="bob"), Memo())
            assert links.health(known).state is Condition.FAILING

    run(story())


def test_a_shared_program_that_hangs_at_its_start_is_tried_by_checks():
    async def story():
        slow = Server(
            name="fixture",
            address=address("mute"),
            sharing=Sharing.SHARED,
            health=msgspec.structs.replace(QUICK, interval=0.05, failures=2),
        )
        async with linking(slow) as links:
            await until(lambda: links.health(slow).state is Condition.DOWN)
            began = time.perf_counter()
            with pytest.raises(UpstreamError, match="it did not answer a check within"):
                await links.link(slow).request(tool("heard"), Memo())

            assert time.perf_counter() - began < QUICK.timeout

    run(story())


# Others


def test_a_dead_server_does_not_slow_others():
    async def story():
        good, bad = Moody(), Moody(mood=never)
        async with http_server(good.script) as one, http_server(bad.script) as two:
            well = looked_after(one.url, name="well")
            ill = looked_after(two.url, name="ill", timeout=SILENCE)
            async with linking(well, ill) as links:
                await at_ease(links.link(well))
                alone = await took(links.link(well))
                herd = [asyncio.ensure_future(fail(links.link(ill), 20)) for _ in range(20)]
                beside = await took(links.link(well))
                await asyncio.gather(*herd)

                assert links.health(ill).state is Condition.DOWN
                assert links.health(well).state is Condition.READY
                assert beside < 5 * alone + 0.02

    run(story())


async def took(link):
    """What most of 200 calls take, one after the other, in seconds at most."""
    times = []
    for _ in range(200):
        began = time.perf_counter()
        await call(link)
        times.append(time.perf_counter() - began)
    return sorted(times)[150]  # of the slowest, a busy machine says more


def test_a_link_that_was_replaced_is_looked_at_no_more():
    async def story():
        moody = Moody(mood=broken)
        async with http_server(moody.script) as server:
            known = looked_after(server.url)
            async with linking(known) as links:
                link = links.link(known)
                await fail(link, 3)
                links.retain([])
                heard = len(server.heard)
                await asyncio.sleep(0.5)

                assert len(server.heard) == heard

    run(story())
