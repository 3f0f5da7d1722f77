"""Servers that misbehave on the loopback, and links that look after them."""

import asyncio
import contextlib

import msgspec
import pytest

from tests.torhaus.upstream.pipes import Memo, tool
from tests.torhaus.upstream.servers.http_server import head, whole
from tests.torhaus.upstream.servers.mcp_server import McpServer
from tests.torhaus.upstream.webs import call, configured, numbers
from torhaus.model.health import Condition, Upkeep
from torhaus.model.ports import UpstreamError
from torhaus.upstream.links import Links

QUICK = Upkeep(failures=3, wait=0.4, longest=0.8, timeout=1.0)
SLOW = Upkeep(failures=3, wait=60.0, longest=60.0, timeout=1.0)
"""It stays down for as long as a busy machine may need for what is to happen meanwhile."""
BY_CALL = msgspec.structs.replace(QUICK, probe=False)
SILENCE = 0.25


class Moody:
    """An MCP server that does as `mood` says: None, or what a connection gets instead."""

    def __init__(self, mood=None, **more):
        self.upstream, self.mood, self.calls = McpServer(eras=("modern",), **more), mood, 0

    async def script(self, wire):
        while True:
            if self.mood is not None and self.mood.__name__ == "at_once":
                return
            heard = await wire.request()
            self.calls += heard.asked == "tools/call"
            if self.mood is None:
                await self.upstream.react(wire, heard)
            elif await self.mood(wire):
                return


async def at_once(_wire):
    """It accepts and closes."""


async def never(wire):
    await wire.gone()
    return True


async def in_the_middle(wire):
    wire.say(head("200 OK", "content-type: application/json", "content-length: 900"), b'{"json')
    wire.close()
    return True


async def broken(wire):
    wire.say(whole(b"<h1>oops</h1>", "500 Internal Server Error", "content-type: text/html"))


async def nonsense(wire):
    wire.say(b"SSH-2.0-OpenSSH_9.6\r\n")
    wire.close()
    return True


async def denied(wire):
    wire.say(whole(b"{}", "401 Unauthorized", 'www-authenticate: Bearer realm="x"'))


async def overloaded(wire):
    wire.say(whole(b"", "503 Service Unavailable", "retry-after: 5"))


async def not_found(wire):
    wire.say(whole(b"{}", "404 Not Found"))


MOODS = [at_once, never, in_the_middle, broken, nonsense, overloaded]


@contextlib.asynccontextmanager
async def linking(*servers):
    links = Links(numbers())
    try:
        links.retain(servers)
        yield links
    finally:
        await links.shutdown()


def looked_after(url, upkeep=QUICK, **more):
    return configured(url, health=upkeep, **more)


def silent(**more):
    return tool("a", timeout=SILENCE, **more)


async def ask(link, **more):
    return await link.request(silent(**more), Memo())


async def fail(link, times, **more):
    """The sentences with which so many calls end."""
    found = []
    for _ in range(times):
        with pytest.raises(UpstreamError) as caught:
            await ask(link, **more)
        found.append(str(caught.value))
    return found


async def hang_up(link):
    """Call, and do not wait for the answer."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.02):
            await link.request(tool("a"), Memo())


async def at_ease(link):
    await call(link)
    assert link.health().state is Condition.READY
