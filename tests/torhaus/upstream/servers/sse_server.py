"""A server of the deprecated HTTP+SSE transport on a real socket, inside the test's own loop."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

OK = b"HTTP/1.1 %b\r\ncontent-type: text/plain\r\ncontent-length: %d\r\n\r\n%b"


@dataclass
class SseServer:
    """`endpoint`: what the first event names; None: no such event. `sessions`: open streams."""

    endpoint: str | None = "/messages?session={number}"
    refuse: tuple[bytes, bytes] | None = None
    port: int = 0
    opened: int = 0
    sessions: dict[str, asyncio.StreamWriter] = field(default_factory=dict)
    heard: list[Any] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/sse"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        with (
            contextlib.closing(writer),
            contextlib.suppress(asyncio.IncompleteReadError, ConnectionError),
        ):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
                self.heads.append(head)
                if head.startswith("get"):
                    await self._stream(reader, writer)
                    return
                size = int(head.split("content-length: ")[1].split("\r")[0])
                await self._post(head, json.loads(await reader.readexactly(size)), writer)

    async def _stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.opened += 1
        number = str(self.opened)
        self.sessions[number] = writer
        writer.write(
            b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
            b"connection: close\r\n\r\n: hi\n\n"
        )
        if self.endpoint is not None:
            named = self.endpoint.format(number=number, port=self.port)
            writer.write(f"event: endpoint\r\ndata: {named}\r\n\r\n".encode())
        await reader.read()
        self.sessions.pop(number, None)

    async def _post(self, head: str, message: Any, writer: asyncio.StreamWriter) -> None:
        if "session=" not in head.split("\r")[0]:  # as the SDKs' servers do on their GET path
            writer.write(OK % (b"405 Method Not Allowed", 0, b""))
            return
        number = head.split("session=")[1].split(" ")[0]
        stream = self.sessions.get(number)
        if self.refuse is not None:
            status, body = self.refuse
        elif stream is None:
            status, body = b"404 Not Found", b"Session not found"
        else:
            status, body = b"202 Accepted", b"Accepted"
            self.heard.append(message)
            self._react(stream, message)
        writer.write(OK % (status, len(body), body))
        await writer.drain()

    def _react(self, stream: asyncio.StreamWriter, message: Any) -> None:
        if message.get("method") == "initialize":
            result: Any = {
                "protocolVersion": "2024-11-05",
                "capabilities": {},
                "serverInfo": {"name": "old", "version": "1"},
            }
        elif message.get("method") == "tools/call":
            result = {"content": [{"type": "text", "text": message["params"]["name"]}]}
        else:
            return
        answer = json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": result}, indent=1)
        data = "".join(f"data: {line}\n" for line in answer.split("\n"))
        stream.write(f"event: message\n{data}\n".encode())

    def forget(self) -> None:
        """Lose the sessions, but not the connections."""
        self.sessions.clear()

    def drop(self) -> None:
        for stream in list(self.sessions.values()):
            stream.transport.abort()


@contextlib.asynccontextmanager
async def sse_server(**more: Any) -> AsyncIterator[SseServer]:
    old = SseServer(**more)
    server = await asyncio.start_server(old.serve, "127.0.0.1", 0)
    old.port = server.sockets[0].getsockname()[1]
    try:
        yield old
    finally:
        server.close()
        old.drop()
        await server.wait_closed()
        for task in old.tasks:
            task.cancel()
        await asyncio.gather(*old.tasks, return_exceptions=True)
