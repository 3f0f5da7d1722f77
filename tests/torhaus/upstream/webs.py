"""What tests of links by URL share: links to a server, sessions with it, facts about it."""

import contextlib
import itertools
from collections.abc import AsyncIterator
from typing import Any

import msgspec

from tests.torhaus.upstream import pipes
from tests.torhaus.upstream.servers.http_server import HttpServer, Script, http_server, saying
from tests.torhaus.upstream.servers.mcp_server import McpServer
from torhaus.model.ports import Link
from torhaus.model.servers import HttpAddress, Server
from torhaus.model.session import Session
from torhaus.upstream.autolink import AutoLink, Old
from torhaus.upstream.exchange import Reply
from torhaus.upstream.facts import LIFETIME, Facts
from torhaus.upstream.httplink import HttpLink
from torhaus.upstream.links import _offered, _old

INITIALIZE = (
    b'{"protocolVersion":"2025-11-25","capabilities":{},"serverInfo":{"name":"old","version":"1"}}'
)
DISCOVER = (
    b'{"resultType":"complete","supportedVersions":["2026-07-28"],'
    b'"capabilities":{"tools":{"listChanged":true},"logging":{}}}'
)
LEGACY = Facts(initialize=INITIALIZE)
MODERN = Facts(discover=DISCOVER)
BOTH = Facts(initialize=INITIALIZE, discover=DISCOVER)


def configured(url: str, **more: Any) -> Server:
    """A server by URL. `headers`, `transport`, `era`, `ca_file` belong to its address."""
    names = ("headers", "transport", "era", "ca_file")
    address = HttpAddress(url=url, **{n: more.pop(n) for n in names if n in more})
    known = {"name": "web", "timeout": 30.0, "connect_timeout": 20.0}
    return Server(address=address, **{**known, **more})


def numbers() -> Any:
    count = itertools.count(1)
    return lambda: f"own-{next(count)}"


@contextlib.asynccontextmanager
async def linked(
    script: Script, facts: Facts = LEGACY, **more: Any
) -> AsyncIterator[tuple[HttpServer, HttpLink]]:
    """A server that does this, and a link that believes these facts."""
    doubt = more.pop("doubt", lambda: None)
    async with http_server(script) as server:
        wanted = configured(more.pop("url", server.url), **more)
        assert isinstance(wanted.address, HttpAddress)
        link = HttpLink(wanted, wanted.address, numbers(), doubt)
        link.facts = facts
        try:
            yield server, link
        finally:
            await link.shutdown()


async def begun(link: HttpLink, jti: str = "s1", who: str = "alice") -> Session:
    """A front session whose upstream half is open."""
    front = pipes.session(jti, who)
    asked = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {}}
    opening = msgspec.structs.replace(pipes.ask("initialize", asked, session=front), session=None)
    answer = await link.request(opening, pipes.Memo())
    front.upstream_id = answer.session
    return front


def told(
    answer: bytes | Script, *, loop: str = "uvloop", patience: float = 30.0
) -> tuple[Reply, pipes.Memo]:
    """The reply to request 1 that is answered with these bytes, and what came before it."""
    kept: list[Reply] = []
    memo = pipes.Memo()

    async def story() -> None:
        script = saying(answer) if isinstance(answer, bytes) else answer
        async with linked(script) as (_, link):
            body = b'{"jsonrpc":"2.0","id":1,"method":"x"}'
            data = link.requests.legacy(body, None, None)
            kept.append(await link.send(data, b"1", memo, patience))

    pipes.run(story(), loop)
    return kept[0], memo


@contextlib.asynccontextmanager
async def auto(url: str, **more: Any) -> AsyncIterator[AutoLink]:
    """A link that finds out by itself. `lifetime`: of its verdicts."""
    lifetime = more.pop("lifetime", LIFETIME)
    server = configured(url, **more)
    assert isinstance(server.address, HttpAddress)
    link = AutoLink(server, server.address, numbers(), Old(_old, _offered), lifetime)
    try:
        yield link
    finally:
        await link.shutdown()


@contextlib.asynccontextmanager
async def town(
    upstream: McpServer | Script, **more: Any
) -> AsyncIterator[tuple[HttpServer, AutoLink]]:
    """A server and a link that finds out what it is."""
    script = upstream.script if isinstance(upstream, McpServer) else upstream
    async with http_server(script) as server, auto(server.url, **more) as link:
        yield server, link


async def call(link: Link, name: str = "a") -> Any:
    """What a tool says to a stateless caller."""
    return pipes.said(await link.request(pipes.tool(name), pipes.Memo()))
