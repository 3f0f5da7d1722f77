"""A pooler of connections as far as it matters here: it takes LISTEN, and passes no news on."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

NEWS = b"A"
"""NotificationResponse (PostgreSQL protocol 55.7)."""


class Pooler:
    """Between a client and a server on loopback. `passes`: whether news come through after all."""

    def __init__(self, url: str) -> None:
        self._server = int(url.rpartition(":")[2])
        self.passes = False
        self.kept = 0
        self.url = ""
        self._open: set[asyncio.StreamWriter] = set()

    def cut(self) -> None:
        """Every connection is lost, at both ends."""
        for each in self._open:
            each.transport.abort()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        back, to = await asyncio.open_connection("127.0.0.1", self._server)
        self._open |= {writer, to}
        try:
            async with asyncio.TaskGroup() as both:
                both.create_task(_copied(reader, to))
                both.create_task(self._told(back, writer))
        except* (OSError, asyncio.IncompleteReadError):
            pass
        finally:
            self._open -= {writer, to}
            for each in (writer, to):
                each.close()
                with suppress(OSError):
                    await each.wait_closed()

    async def _told(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = await reader.readexactly(5)
            body = await reader.readexactly(int.from_bytes(head[1:], "big") - 4)
            if head[:1] == NEWS and not self.passes:
                self.kept += 1
                continue
            writer.write(head + body)
            await writer.drain()


async def _copied(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    raise ConnectionResetError


@asynccontextmanager
async def pooler(url: str) -> AsyncIterator[Pooler]:
    """`url`: of the server, with its port and no database. The pooler's is as it."""
    made = Pooler(url)
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0)
    made.url = f"{url.rpartition(':')[0]}:{server.sockets[0].getsockname()[1]}"
    try:
        yield made
    finally:
        server.close()
        made.cut()
        await asyncio.sleep(0)
        await server.wait_closed()
