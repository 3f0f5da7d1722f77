"""What tests of the HTTP client share: an exchange that remembers, and pools that are closed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

from tests.torhaus.upstream.pipes import run
from tests.torhaus.upstream.servers.http_server import HttpServer, Script, http_server
from torhaus.model.ports import UpstreamError
from torhaus.upstream.http import Connection, Exchange, target
from torhaus.upstream.pool import Pool, trust

LOOPS = ("uvloop", "asyncio")
GET = b"GET /mcp HTTP/1.1\r\nhost: x\r\n\r\n"


class Page(Exchange):
    """An exchange that remembers. `done` resolves to itself."""

    def __init__(self, *, plain: bool = False) -> None:
        self.plain = plain
        self.heads: list[int] = []
        self.headers: dict[bytes, bytes] = {}
        self.body = b""
        self.pieces = 0
        self.done: asyncio.Future[Page] = asyncio.get_running_loop().create_future()

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        self.heads.append(status)
        self.headers = headers

    def data(self, chunk: bytes) -> None:
        self.body += chunk
        self.pieces += 1

    def end(self) -> None:
        self.done.set_result(self)

    def fail(self, error: UpstreamError) -> None:
        self.done.set_exception(error)


@contextlib.asynccontextmanager
async def pool(server: HttpServer, **more: Any) -> AsyncIterator[Pool]:
    where = target(more.pop("url", server.url))
    tls = trust(where, more.pop("ca_file", None))
    opened = Pool(where, connect_timeout=more.pop("connect_timeout", 20.0), tls=tls, **more)
    try:
        yield opened
    finally:
        opened.close()


def begin(connection: Connection, patience: float | None = 30.0, data: bytes = GET) -> Page:
    page = Page()
    connection.start(data, page, patience)
    return page


async def get(opened: Pool, patience: float | None = 30.0, data: bytes = GET) -> Page:
    connection = opened.idle() or await opened.fresh()
    return await begin(connection, patience, data).done


def served(
    script: Script,
    story: Callable[[HttpServer, Pool], Awaitable[None]],
    loop: str = "uvloop",
    **more: Any,
) -> None:
    """Play a story with a server and a pool of connections to it."""

    async def play() -> None:
        async with http_server(script) as server, pool(server, **more) as opened:
            await story(server, opened)

    run(play(), loop)
