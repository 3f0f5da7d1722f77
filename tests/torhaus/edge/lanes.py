"""A lane on a real loopback socket, with a door that does what the test says."""

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from torhaus.edge.exchange import Entrance, Exchange
from torhaus.edge.heads import Heads
from torhaus.edge.wire import Lane, lane

MAX_BODY = 1000
HOST = b"host: localhost\r\n"
CHUNKED = b"POST /mcp/x HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play an asynchronous story to its end: within seconds, however busy the machine is."""

    async def bounded() -> None:
        async with asyncio.timeout(120):
            await story

    asyncio.run(bounded())


async def pages(scope: Any, receive: Any, send: Any) -> None:
    """Everything that is not MCP: `/slow` takes a while."""
    if scope["path"] == "/slow":
        await asyncio.sleep(0.1)
    body = b"page " + scope["path"].encode()
    head = [(b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": 200, "headers": head})
    await send({"type": "http.response.body", "body": body})


@dataclass
class Post:
    """What came to the door. It answers `ok N`, N the body, unless the test holds it.

    It lets everybody in, so every head is remembered that can be.
    """

    came: list[Exchange] = field(default_factory=list)
    heads: Heads = field(default_factory=Heads)
    rang: asyncio.Event = field(default_factory=asyncio.Event)
    held: Callable[[Exchange], bool] = lambda exchange: b"hold" in exchange.body

    def screen(self, exchange: Exchange) -> None:
        if b"stranger" in exchange.head.headers:
            exchange.answer(401, b"{}")

    def handle(self, exchange: Exchange) -> None:
        self.came.append(exchange)
        self.heads.keep(exchange.head)
        self.rang.set()
        if not self.held(exchange):
            exchange.json(200, b"ok " + bytes(exchange.body))


@dataclass
class Answer:
    status: int
    headers: dict[bytes, bytes]
    body: bytes


class Client:
    """One connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    def send(self, data: bytes) -> None:
        self.writer.write(data)

    async def head(self) -> tuple[int, dict[bytes, bytes]]:
        start, *lines = (await self.reader.readuntil(b"\r\n\r\n")).rstrip().split(b"\r\n")
        pairs = (line.split(b":", 1) for line in lines)
        return int(start.split()[1]), {name.lower(): value.strip() for name, value in pairs}

    async def answer(self) -> Answer:
        status, headers = await self.head()
        if b"content-length" in headers:
            body = await self.reader.readexactly(int(headers[b"content-length"]))
        elif headers.get(b"transfer-encoding") == b"chunked":
            body = b"".join([chunk async for chunk in self.chunks()])
        else:
            body = await self.reader.read()
        return Answer(status, headers, body)

    async def chunks(self) -> AsyncIterator[bytes]:
        while True:
            size = int(await self.reader.readuntil(b"\r\n"), 16)
            data = await self.reader.readexactly(size + 2)
            if not size:
                return
            yield data[:-2]

    async def ended(self) -> bytes:
        """What still comes until the connection ends."""
        return await self.reader.read()

    def close(self) -> None:
        self.writer.close()


@dataclass
class Lanes:
    """A listening socket. `lanes`: the connections it has accepted, oldest first."""

    post: Any
    port: int
    lanes: list[Lane]
    clients: list[Client] = field(default_factory=list)

    async def connect(self) -> Client:
        ends = await asyncio.open_connection("127.0.0.1", self.port, limit=1 << 22)
        self.clients.append(Client(*ends))
        return self.clients[-1]

    async def came(self, number: int = 1) -> Exchange:
        """The newest of so many exchanges, once it is there."""
        while len(self.post.came) < number:
            self.post.rang.clear()
            await self.post.rang.wait()
        return self.post.came[number - 1]


@asynccontextmanager
async def listening(post: Entrance | None = None, max_body: int = MAX_BODY) -> AsyncIterator[Lanes]:
    post = Post() if post is None else post
    config = uvicorn.Config(pages, lifespan="off", ws="none", log_config=None, access_log=False)
    config.load()
    state = ServerState()
    made: list[Lane] = []
    kind = lane(post, max_body)

    def build() -> Lane:
        made.append(kind(config, state, {}))
        return made[-1]

    server = await asyncio.get_running_loop().create_server(build, "127.0.0.1", 0)
    lanes = Lanes(post, server.sockets[0].getsockname()[1], made)
    try:
        yield lanes
    finally:
        server.close()
        for client in lanes.clients:
            client.close()
        for connection in made:
            connection.transport.abort()
        await asyncio.sleep(0.01)


def posted(body: bytes, target: bytes = b"/mcp/x", headers: bytes = b"") -> bytes:
    length = b"content-length: %d\r\n" % len(body)
    return b"POST %b HTTP/1.1\r\n%b%b%b\r\n%b" % (target, HOST, length, headers, body)


def asked(target: bytes, headers: bytes = b"", method: bytes = b"GET") -> bytes:
    return b"%b %b HTTP/1.1\r\n%b%b\r\n" % (method, target, HOST, headers)
