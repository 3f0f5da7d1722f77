"""What is sent once more, and what never is (checklist U12)."""

import asyncio

import pytest

from tests.torhaus.upstream.pages import LOOPS
from tests.torhaus.upstream.pipes import Memo, ask, run, session
from tests.torhaus.upstream.servers.http_server import (
    dying,
)
from tests.torhaus.upstream.webs import BOTH, MODERN, linked
from torhaus.model.ports import UpstreamError

READ = ("resources/read", {"uri": "x:y"})


@pytest.mark.parametrize("loop", LOOPS)
@pytest.mark.parametrize("modern", [True, False])
def test_a_read_is_sent_once_more_when_a_kept_connection_was_dead(modern, loop):
    async def story():
        script, taken = dying()
        async with linked(script, BOTH) as (server, link):
            front = None if modern else session()
            await link.request(ask(*READ, session=front), Memo())
            answer = await link.request(ask(*READ, session=front), Memo())

            assert answer.result is not None
            assert len(server.wires) == 2
            assert taken == ["resources/read"]

    run(story(), loop)


@pytest.mark.parametrize("modern", [True, False])
@pytest.mark.parametrize("method", ["tools/call", "tasks/update", "vendor/run"])
def test_what_may_have_run_is_never_sent_again(method, modern):
    async def story():
        script, taken = dying()
        async with linked(script, BOTH) as (server, link):
            front = None if modern else session()
            await link.request(ask(method, {"name": "a"}, session=front), Memo())
            with pytest.raises(UpstreamError, match="it closed the connection"):
                await link.request(ask(method, {"name": "a"}, session=front), Memo())

            assert taken == [method]
            assert len(server.wires) == 1

    run(story())


def test_a_read_that_had_begun_to_be_answered_is_not_sent_again():
    async def story():
        script, taken = dying(say=b"HTTP/1.1 200 OK\r\n")
        async with linked(script, MODERN) as (server, link):
            await link.request(ask(*READ), Memo())
            with pytest.raises(UpstreamError, match="it closed the connection"):
                await link.request(ask(*READ), Memo())

            assert taken == ["resources/read"]
            assert len(server.wires) == 1

    run(story())


def test_a_read_on_a_new_connection_is_not_sent_again():
    async def script(wire):
        await wire.request()
        wire.reset()

    async def story():
        async with linked(script, MODERN) as (server, link):
            with pytest.raises(UpstreamError, match="it closed the connection"):
                await link.request(ask(*READ), Memo())

            assert len(server.heard) == 1

    run(story())


def test_after_a_restart_all_kept_connections_are_dead_and_a_read_still_succeeds():
    async def story():
        script, taken = dying(kept_for=4)
        async with linked(script, MODERN) as (server, link):
            await asyncio.gather(*(link.request(ask(*READ), Memo()) for _ in range(4)))
            assert len(link._carrier._pool._idle) == 4
            answer = await link.request(ask(*READ), Memo())

            assert answer.result is not None
            assert taken == ["resources/read"]
            assert len(server.wires) == 5

    run(story())
