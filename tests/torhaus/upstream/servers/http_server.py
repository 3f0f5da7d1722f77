"""An HTTP server that says exactly the bytes a story wants, inside the test's own loop."""

import asyncio
import contextlib
import json
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Heard:
    """One request as it came. Header names are lower case."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    connection: int

    @property
    def message(self) -> Any:
        return json.loads(self.body) if self.body else None

    @property
    def asked(self) -> str:
        """The JSON-RPC method, or the HTTP method where there is no body."""
        return self.message.get("method", "a response") if self.body else self.method


@dataclass
class Wire:
    """One connection, the server's end."""

    number: int
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    heard: list[Heard]

    async def request(self) -> Heard:
        """The next request, whole."""
        head, heard = await self.head()
        heard.body = await self.reader.readexactly(int(head.get("content-length", "0")))
        self.heard.append(heard)
        return heard

    async def head(self) -> tuple[dict[str, str], Heard]:
        """Only the head of the next request; its body stays unread."""
        text = (await self.reader.readuntil(b"\r\n\r\n")).decode("latin-1")
        first, *lines = text.removesuffix("\r\n\r\n").split("\r\n")
        method, path, _ = first.split(" ")
        headers: dict[str, str] = {}
        for line in lines:
            name, _, value = line.partition(":")
            assert name.lower() not in headers, f"{name} stands twice"
            headers[name.lower()] = value.strip()
        return headers, Heard(method, path, headers, b"", self.number)

    def say(self, *parts: bytes) -> None:
        self.writer.write(b"".join(parts))

    async def dribble(self, data: bytes, size: int = 1) -> None:
        """Say it in pieces, each in a packet of its own."""
        for start in range(0, len(data), size):
            self.writer.write(data[start : start + size])
            await self.writer.drain()
            await asyncio.sleep(0)

    def close(self) -> None:
        self.writer.close()

    def half_close(self) -> None:
        self.writer.write_eof()

    def reset(self) -> None:
        """RST instead of FIN."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def gone(self) -> None:
        """Wait until the other side has closed."""
        with contextlib.suppress(ConnectionError):
            while await self.reader.read(65536):
                pass


Script = Callable[[Wire], Awaitable[None]]


@dataclass
class HttpServer:
    port: int
    scheme: str = "http"
    heard: list[Heard] = field(default_factory=list)
    wires: list[Wire] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)
    troubles: list[BaseException] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.port}/mcp"

    def asked(self) -> list[str]:
        return [each.asked for each in self.heard]


ENDED = (asyncio.IncompleteReadError, ConnectionError)


@contextlib.asynccontextmanager
async def http_server(
    script: Script, *, tls: ssl.SSLContext | None = None, port: int = 0
) -> AsyncIterator[HttpServer]:
    """`script` runs for every connection; what it raises fails the test."""
    server = HttpServer(port, "http" if tls is None else "https")

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        server.tasks.add(task)
        wire = Wire(len(server.wires), reader, writer, server.heard)
        server.wires.append(wire)
        try:
            await script(wire)
        except ENDED:
            pass  # the other side hung up between two requests
        except asyncio.CancelledError:
            pass  # the story is over
        except Exception as error:  # noqa: BLE001 -- told at the end
            server.troubles.append(error)
        finally:
            writer.close()

    listening = await asyncio.start_server(
        serve, "127.0.0.1", port, ssl=tls, limit=1 << 26, backlog=1024
    )
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        listening.close()
        for task in server.tasks:
            task.cancel()
        for wire in server.wires:
            wire.writer.transport.abort()
        await asyncio.gather(*server.tasks, return_exceptions=True)
        for _ in range(3):
            await asyncio.sleep(0)
    assert not server.troubles, server.troubles


# What a server says


def head(status: str = "200 OK", *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status}", *lines, "")).encode("latin-1")


def whole(body: bytes, status: str = "200 OK", *lines: str) -> bytes:
    """An answer with a length. JSON, unless `lines` say otherwise."""
    typed = any(line.lower().startswith("content-type:") for line in lines)
    kind = () if typed else ("content-type: application/json",)
    return head(status, *kind, *lines, f"content-length: {len(body)}") + body


def chunk(data: bytes, extension: bytes = b"") -> bytes:
    return b"%x%b\r\n%b\r\n" % (len(data), extension, data)


LAST = b"0\r\n\r\n"
STREAM = head("200 OK", "content-type: text/event-stream", "transfer-encoding: chunked")


def result(request_id: Any, value: Any = None) -> bytes:
    """A JSON-RPC answer."""
    said = {"ok": True} if value is None else value
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "result": said}).encode()


def error(request_id: Any, code: int, message: str) -> bytes:
    said = {"code": code, "message": message}
    return json.dumps({"jsonrpc": "2.0", "id": request_id, "error": said}).encode()


def event(data: bytes, *lines: str) -> bytes:
    """One server-sent event."""
    fields = "".join(f"{line}\n" for line in lines).encode()
    return b"%bdata: %b\n\n" % (fields, data)


def note(method: str, **params: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "method": method, "params": params}).encode()


async def echo(wire: Wire) -> None:
    """Answers every request with the method it was asked."""
    while True:
        heard = await wire.request()
        wire.say(whole(result(heard.message["id"], {"asked": heard.asked})))


def answering(*answers: bytes) -> Script:
    """Says these answers, one per request over all connections, and the last one ever after."""
    left = list(answers)

    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            wire.say(left.pop(0) if len(left) > 1 else left[0])

    return script


def saying(*parts: bytes, then: str = "close") -> Script:
    """Answers each request with these bytes; closes after the first unless told to wait."""

    async def script(wire: Wire) -> None:
        while True:
            await wire.request()
            wire.say(*parts)
            if then == "close":
                wire.close()
                return

    return script


def dying(*, kept_for: int = 1, say: bytes = b"") -> tuple[Script, list[str]]:
    """A server whose first connections take one more request and die without an answer.

    And what it took after the first request of each connection.
    """
    taken: list[str] = []

    async def script(wire: Wire) -> None:
        heard = await wire.request()
        wire.say(whole(result(heard.message["id"], {"content": [{"text": "first"}]})))
        if wire.number < kept_for:
            heard = await wire.request()
            taken.append(heard.asked)
            wire.say(say)
            wire.reset() if not say else wire.close()
            return
        while True:
            heard = await wire.request()
            taken.append(heard.asked)
            wire.say(whole(result(heard.message["id"], {"content": [{"text": "again"}]})))

    return script, taken
