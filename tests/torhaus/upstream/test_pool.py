"""Connections to one origin: kept, counted, opened, refused, and none left behind."""

import asyncio
import contextlib
import socket

import pytest

from tests.torhaus.upstream.pages import LOOPS, begin, get, pool
from tests.torhaus.upstream.pipes import run, until
from tests.torhaus.upstream.servers.http_server import HttpServer, echo, http_server, result, whole
from torhaus.upstream.http import BrokenError, ConnectError, target
from torhaus.upstream.pool import Pool


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


# Keeping connections


def test_the_connection_used_last_is_used_next():
    async def story():
        async with http_server(polite) as server, pool(server) as opened:
            first, second = [await opened.fresh() for _ in range(2)]
            await begin(first).done
            await begin(second).done

            assert opened.idle() is second
            assert opened.idle() is first
            assert opened.idle() is None
            assert len(server.wires) == 2

    run(story())


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_is_let_go_a_second_before_the_server_would(loop):
    async def script(wire):
        while True:
            await wire.request()
            wire.say(whole(b"1", "200 OK", "Keep-Alive: timeout=2, max=100"))

    async def story():
        async with http_server(script) as server, pool(server) as opened:
            await get(opened)
            assert len(opened._idle) == 1
            await until(lambda: not opened._idle)
            await until(lambda: all(task.done() for task in server.tasks))
            await get(opened)

            assert len(server.wires) == 2

    run(story(), loop)


@pytest.mark.parametrize("field", ["timeout=1", "timeout=0", "max=5, Timeout=1"])
def test_a_server_that_trusts_connections_for_a_moment_gets_new_ones(field):
    async def script(wire):
        while True:
            await wire.request()
            wire.say(whole(b"1", "200 OK", f"keep-alive: {field}"))

    async def story():
        async with http_server(script) as server, pool(server) as opened:
            await get(opened)
            await get(opened)

            assert len(server.wires) == 2

    run(story())


@pytest.mark.parametrize("field", ["timeout=abc", "timeout", "", "timeout=\u00b2", "timeout=1e9"])
def test_a_senseless_keep_alive_means_nothing(field):
    async def script(wire):
        while True:
            await wire.request()
            wire.say(whole(b"1", "200 OK", f"keep-alive: {field}"))

    async def story():
        async with http_server(script) as server, pool(server) as opened:
            await get(opened)
            await get(opened)

            assert len(server.wires) == 1

    run(story())


def test_a_huge_keep_alive_is_cut():
    async def script(wire):
        await wire.request()
        wire.say(whole(b"1", "200 OK", "keep-alive: timeout=999999999999"))
        await wire.gone()

    async def story():
        async with http_server(script) as server, pool(server) as opened:
            await get(opened)

            assert opened._idle[0].idle_until - opened.now() < 120

    run(story())


@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_kept_connection_that_the_server_closes_is_forgotten(how):
    async def script(wire):
        await wire.request()
        wire.say(whole(b"1"))
        await wire.writer.drain()
        await asyncio.sleep(0.02)
        getattr(wire, how)()

    async def story():
        async with http_server(script) as server, pool(server) as opened:
            await get(opened)
            await until(lambda: not opened._all)

            assert opened.idle() is None
            await get(opened)
            assert len(server.wires) == 2

    run(story())


# Opening


@pytest.mark.parametrize("loop", LOOPS)
def test_nobody_listens_says_so(loop):
    async def story():
        async with http_server(polite) as server:
            pass
        async with pool(server) as opened:
            with pytest.raises(ConnectError) as caught:
                await opened.fresh()

        where = f"127.0.0.1:{server.port}"
        assert str(caught.value) == f"no connection to {where}: Connection refused"

    run(story(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_name_that_does_not_exist_says_so(loop):
    async def story():
        async with http_server(polite) as server:
            url = "http://no-such-name.invalid/mcp"
            async with pool(server, url=url, connect_timeout=8.0) as opened:
                with pytest.raises(ConnectError, match=r"no connection to no-such-name\.invalid: "):
                    await opened.fresh()

    run(story(), loop)


@pytest.mark.parametrize("loop", LOOPS)
def test_a_name_with_several_addresses_says_why_none_answered(loop):
    async def story():
        async with http_server(polite) as server:
            pass
        async with pool(server, url=f"http://localhost:{server.port}/") as opened:
            with pytest.raises(ConnectError) as caught:
                await opened.fresh()

        assert "refused" in str(caught.value) or "Connect call failed" in str(caught.value)

    run(story(), loop)


@contextlib.contextmanager
def deaf_port():
    """A port where connections are neither taken nor refused: its queue is full."""
    with contextlib.ExitStack() as held:
        listening = held.enter_context(socket.socket())
        listening.bind(("127.0.0.1", 0))
        listening.listen(0)
        for _ in range(4):
            one = held.enter_context(socket.socket())
            one.setblocking(False)
            one.connect_ex(listening.getsockname())
        yield listening.getsockname()[1]


@pytest.mark.parametrize("loop", LOOPS)
def test_a_connection_that_does_not_come_about_is_given_up_in_time(loop):
    async def story():
        with deaf_port() as port:
            async with pool(HttpServer(port), connect_timeout=0.2) as opened:
                with pytest.raises(ConnectError, match=r"no connection to .* within 0\.2 s"):
                    await opened.fresh()

    run(story(), loop)


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("how", ["close", "reset"])
def test_a_server_that_hangs_up_at_once_costs_no_place_in_the_pool(how, loop):
    async def script(wire):
        getattr(wire, how)()

    async def story():
        async with http_server(script) as server, pool(server, limit=2) as opened:
            for _ in range(6):
                with pytest.raises((ConnectError, BrokenError)):
                    await get(opened)

            await until(lambda: not opened._all)

    run(story(), loop)


def test_the_same_server_may_come_up_later():
    async def story():
        async with http_server(polite) as server:
            pass
        async with pool(server) as opened:
            with pytest.raises(ConnectError):
                await opened.fresh()
            async with http_server(polite, port=server.port):
                assert (await get(opened)).body == b"0"

    run(story())


# The rest


def test_a_pool_without_connections_has_no_timer():
    async def story():
        async with http_server(polite) as server, pool(server) as opened:
            await get(opened)
            assert opened._sweeper is not None
            opened._idle[0].transport.abort()

            await until(lambda: opened._sweeper is None)

    run(story())


def test_a_connection_that_was_lost_while_it_was_opened_takes_no_place():
    async def story():
        async with http_server(polite) as server, pool(server) as opened:
            connection = await opened.fresh()
            connection.transport.abort()
            await until(lambda: not opened._all)
            opened._add(connection)  # the end of its opening, which comes late

            assert not opened._all
            assert opened.idle() is None

    run(story())


def test_a_vanished_server_is_noticed_by_the_kernel():
    async def story():
        async with http_server(polite) as server, pool(server) as opened:
            sock = (await opened.fresh()).transport.get_extra_info("socket")

            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1

    run(story())


def test_echo_is_a_server_as_well():
    async def story():
        async with http_server(echo) as server, pool(server) as opened:
            body = b'{"id": 1, "method": "ping"}'
            post = b"POST /mcp HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n" % len(body)

            assert (await get(opened, data=post + body)).body == result(1, {"asked": "ping"})

    run(story())


def test_a_pool_belongs_to_the_loop_it_was_made_in():
    with pytest.raises(RuntimeError):
        Pool(target("http://a.example/"), connect_timeout=1.0, tls=None)
