"""Connections to one origin: counted, waited for, closed."""

import asyncio
import contextlib

import pytest

from tests.torhaus.upstream.pages import LOOPS, begin, get, pool
from tests.torhaus.upstream.pipes import run, until
from tests.torhaus.upstream.servers.http_server import http_server, whole
from torhaus.model.ports import UpstreamError
from torhaus.upstream.http import BrokenError, ConnectError


async def polite(wire):
    """Answers everything at once."""
    while True:
        await wire.request()
        wire.say(whole(b"%d" % wire.number))


async def waiting(wire):
    """Never answers."""
    await wire.request()
    await wire.gone()


def timers(loop):
    """Our timers that are still to ring (asyncio's own loop only)."""
    ringing = [handle for handle in loop._scheduled if not handle.cancelled()]
    return [each for each in ringing if each._callback.__module__.startswith("torhaus")]


# The limit


@pytest.mark.parametrize("loop", LOOPS)
def test_there_are_never_more_connections_than_the_limit(loop):
    busy, most = 0, 0

    async def script(wire):
        nonlocal busy, most
        while True:
            await wire.request()
            busy += 1
            most = max(most, busy)
            await asyncio.sleep(0.005)
            busy -= 1
            wire.say(whole(b"1"))

    async def story():
        async with http_server(script) as server, pool(server, limit=3) as opened:
            pages = await asyncio.gather(*(get(opened) for _ in range(40)))

            assert len(pages) == 40
            assert most == 3
            assert len(server.wires) == 3

    run(story(), loop)


def test_whoever_waits_is_served_before_whoever_comes_later():
    async def story():
        async with http_server(polite) as server, pool(server, limit=1) as opened:
            connection = await opened.fresh()
            page = begin(connection)
            served = []

            async def one(name):
                held = await opened.fresh()
                served.append(name)
                await begin(held).done

            tasks = [asyncio.create_task(one(name)) for name in "abc"]
            await asyncio.sleep(0)
            await page.done
            assert opened.idle() is None  # the newcomer gets nothing: it is spoken for
            await asyncio.gather(*tasks)

            assert served == ["a", "b", "c"]

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_place_is_free_again_when_a_connection_breaks(loop):
    async def script(wire):
        await wire.request()
        wire.close()

    async def story():
        async with http_server(script) as server, pool(server, limit=1) as opened:
            ends = await asyncio.gather(*(get(opened) for _ in range(5)), return_exceptions=True)

            assert [type(end) for end in ends] == [BrokenError] * 5

    run(story(), loop)


def test_waiting_for_a_place_ends_in_time():
    async def story():
        async with (
            http_server(waiting) as server,
            pool(server, limit=1, connect_timeout=0.5) as opened,
        ):
            page = begin(await opened.fresh(), None)
            with pytest.raises(ConnectError, match="all connections to it are in use"):
                await opened.fresh()

            assert not page.done.done()
            assert not opened._waiting

    run(story())


def test_every_waiter_hears_why_nobody_can_connect():
    async def story():
        async with http_server(polite) as server:
            pass
        async with pool(server, limit=2) as opened:
            ends = await asyncio.gather(*(get(opened) for _ in range(7)), return_exceptions=True)

            assert all("Connection refused" in str(end) for end in ends)
            assert not opened._waiting
            assert not opened._opening

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("turns", range(8))
def test_a_caller_that_gives_up_at_any_moment_leaves_its_connection_to_others(turns, loop):
    async def story():
        async with http_server(polite) as server, pool(server, limit=1) as opened:
            caller = asyncio.create_task(opened.fresh())
            for _ in range(turns):
                await asyncio.sleep(0)
            caller.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                opened._hand(await caller)  # it came about before

            for _ in range(3):
                await get(opened)
            assert len(opened._all) == 1

    run(story(), loop)


@pytest.mark.parametrize("turns", range(6))
def test_a_waiter_that_gives_up_as_it_is_served_passes_its_turn_on(turns):
    async def story():
        async with http_server(polite) as server, pool(server, limit=1) as opened:
            page = begin(await opened.fresh())
            first = asyncio.create_task(opened.fresh())
            second = asyncio.create_task(opened.fresh())
            await page.done
            for _ in range(turns):
                await asyncio.sleep(0)
            first.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                opened._hand(await first)

            await begin(await asyncio.wait_for(second, 60)).done

    run(story())


def test_a_new_connection_is_new_even_where_there_is_no_room():
    """The kept ones may all be as dead as the one that was tried."""

    async def story():
        async with http_server(polite) as server, pool(server, limit=2) as opened:
            first, second = [await opened.fresh() for _ in range(2)]
            await begin(first).done
            await begin(second).done

            found = await opened.fresh()

            assert found not in (first, second)

    run(story())


# The end


@pytest.mark.parametrize("loop", LOOPS)
def test_closing_ends_everything_at_once(loop):
    async def story():
        async with http_server(waiting) as server, pool(server, limit=1) as opened:
            page = begin(await opened.fresh(), None)
            waiter = asyncio.create_task(opened.fresh())
            await asyncio.sleep(0.01)
            opened.close()

            with pytest.raises(UpstreamError, match="the gateway is shutting down"):
                await page.done
            with pytest.raises(ConnectError, match="the gateway is shutting down"):
                await waiter
            with pytest.raises(ConnectError, match="the gateway is shutting down"):
                await opened.fresh()
            await until(lambda: not opened._all)
            if loop == "asyncio":
                await until(lambda: not timers(asyncio.get_running_loop()), 5.0)

    run(story(), loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("turns", range(6))
def test_closing_while_a_connection_is_being_opened_leaves_none(turns, loop):
    async def story():
        async with http_server(polite) as server, pool(server) as opened:
            caller = asyncio.create_task(opened.fresh())
            for _ in range(turns):
                await asyncio.sleep(0)
            opened.close()
            await asyncio.wait([caller])
            if caller.exception() is not None:
                assert str(caller.exception()) == "the gateway is shutting down"

            await until(lambda: not opened._all)
            assert opened.idle() is None
            if loop == "asyncio":
                await until(lambda: not timers(asyncio.get_running_loop()), 5.0)

    run(story(), loop)
