"""A server behind the gateway that does what its tools are called, byte by byte if need be."""

import json
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, BinaryIO, Self

MODERN = "2026-07-28"
OK = "HTTP/1.1 200 OK\r\n"
JSON = "content-type: application/json\r\n"
SSE = "content-type: text/event-stream\r\n"


@dataclass
class Seen:
    """One request that reached the server."""

    method: str
    headers: dict[str, str]
    message: dict[str, Any]

    @property
    def tool(self) -> str | None:
        name = self.message.get("params", {}).get("name")
        return name if self.message.get("method") == "tools/call" else None


class Talk:
    """One request at the server, and the connection it came on."""

    def __init__(self, server: "Upstream", line: socket.socket, seen: Seen) -> None:
        self.server = server
        self.line = line
        self.seen = seen
        self.id = seen.message.get("id")

    def send(self, text: str | bytes) -> None:
        self.line.sendall(text.encode() if isinstance(text, str) else text)

    def message(self, result: object) -> str:
        return json.dumps({"jsonrpc": "2.0", "id": self.id, "result": result})

    def said(self, text: str) -> str:
        """The answer to a tool call."""
        return self.message({"content": [{"type": "text", "text": text}]})

    def answer(self, body: str | bytes, *, status: str = OK, head: str = JSON) -> None:
        data = body.encode() if isinstance(body, str) else body
        self.send(f"{status}{head}content-length: {len(data)}\r\n\r\n".encode() + data)

    def stream(self) -> None:
        """Begin an event stream that lasts as long as the connection."""
        self.send(f"{OK}{SSE}connection: close\r\n\r\n")

    def event(self, message: str) -> None:
        self.send(f"data: {message}\n\n")

    def note(self, data: str, level: str = "info") -> str:
        params = {"level": level, "data": data}
        note = {"jsonrpc": "2.0", "method": "notifications/message", "params": params}
        return json.dumps(note)

    def gone(self, seconds: float) -> bool:
        """Whether the gateway hangs up within so many seconds."""
        self.line.settimeout(seconds)
        try:
            return self.line.recv(1) == b""
        except TimeoutError:
            return False
        except OSError:
            return True

    def close(self) -> None:
        with suppress(OSError):
            self.line.shutdown(socket.SHUT_RDWR)


Trick = Callable[[Talk], None]


@dataclass
class Upstream:
    """Speaks both eras on loopback. `tricks`: tool name -> what it does instead of an answer."""

    tricks: dict[str, Trick] = field(default_factory=dict)
    modern: bool = True
    seen: list[Seen] = field(default_factory=list)
    marks: list[str] = field(default_factory=list)
    listeners: list[Talk] = field(default_factory=list)
    sessions: set[str] = field(default_factory=set)
    port: int = 0

    def __enter__(self) -> Self:
        self._socket = socket.create_server(("127.0.0.1", self.port), backlog=64)
        self.port = self._socket.getsockname()[1]
        self._lines: set[socket.socket] = set()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """Hang up on everybody; once is enough."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        for line in list(self._lines):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/mcp"

    def calls(self, tool: str) -> list[Seen]:
        return [each for each in self.seen if each.tool == tool]

    def asked(self) -> list[Seen]:
        """What callers have asked; the gateway still says something of those who have left."""
        return [each for each in self.seen if "id" in each.message]

    def marked(self, mark: str, seconds: float = 60.0) -> bool:
        """Whether a trick has got so far."""
        return within(seconds, lambda: mark in self.marks)

    def forget_sessions(self) -> None:
        """As after a restart."""
        self.sessions.clear()

    def _accept(self) -> None:
        while True:
            try:
                line, _ = self._socket.accept()
            except OSError:
                return
            self._lines.add(line)
            threading.Thread(target=self._serve, args=(line,), daemon=True).start()

    def _serve(self, line: socket.socket) -> None:
        with line, line.makefile("rb") as reader, suppress(OSError, ValueError):
            while (seen := _read(reader)) is not None:
                self.seen.append(seen)
                self._handle(Talk(self, line, seen))
        self._lines.discard(line)

    def _handle(self, talk: Talk) -> None:
        seen = talk.seen
        session = seen.headers.get("mcp-session-id")
        if seen.method == "GET":
            talk.stream()
            self.listeners.append(talk)
            if talk.gone(60):
                self.marks.append("listener gone")
        elif session is not None and session not in self.sessions:
            talk.answer("{}", status="HTTP/1.1 404 Not Found\r\n")
        elif seen.method == "DELETE":
            talk.answer("")
        elif "id" not in seen.message or "method" not in seen.message:
            talk.send("HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n")
        else:
            self._request(talk)

    def _request(self, talk: Talk) -> None:
        method = talk.seen.message["method"]
        name = talk.seen.tool
        if method == "initialize":
            session = f"up-{len(self.sessions)}-{time.monotonic_ns()}"
            self.sessions.add(session)
            version = talk.seen.message.get("params", {}).get("protocolVersion", "2025-11-25")
            info = {"name": "scripted", "version": "1"}
            result = {"protocolVersion": version, "capabilities": {"tools": {}}, "serverInfo": info}
            talk.answer(talk.message(result), head=f"{JSON}mcp-session-id: {session}\r\n")
        elif method == "server/discover" and self.modern:
            result = {"resultType": "complete", "supportedVersions": [MODERN], "capabilities": {}}
            talk.answer(talk.message(result))
        elif method == "tools/list":
            tools = [{"name": each, "inputSchema": {"type": "object"}} for each in self.names()]
            fresh = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
            talk.answer(talk.message({"tools": tools, **fresh}))
        elif name in self.tricks:
            self.tricks[name](talk)
        elif name is not None:
            talk.answer(talk.said(f"{name} {json.dumps(talk.seen.message['params'])}"))
        else:
            error = {"code": -32601, "message": "Method not found"}
            answer = {"jsonrpc": "2.0", "id": talk.id, "error": error}
            talk.answer(json.dumps(answer), status="HTTP/1.1 404 Not Found\r\n")

    def names(self) -> list[str]:
        own = ("get_note", "list_notes", "create_note", "delete_note")
        return list(dict.fromkeys((*own, *self.tricks)))


def _read(reader: BinaryIO) -> Seen | None:
    start = reader.readline()
    if not start:
        return None
    headers: dict[str, str] = {}
    while (line := reader.readline()) not in (b"\r\n", b""):
        name, _, value = line.decode("latin-1").partition(":")
        headers[name.lower()] = value.strip()
    body = reader.read(int(headers.get("content-length", "0")))
    return Seen(start.decode().split()[0], headers, json.loads(body) if body else {})


def within(seconds: float, true: Callable[[], bool]) -> bool:
    """Whether it becomes true in time."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True
