"""A client that sends what it is told to, byte by byte, and reads what comes."""

import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from torhaus.identity.keys import ACCESS

MODERN = "2026-07-28"
LEGACY = "2025-11-25"
BOTH = "application/json, text/event-stream"
PREFIX = "io.modelcontextprotocol/"
ENVELOPE: dict[str, Any] = {
    PREFIX + "protocolVersion": MODERN,
    PREFIX + "clientCapabilities": {},
    PREFIX + "logLevel": "debug",
}
"""Of whoever hears all that a server says meanwhile."""
HELLO = {"protocolVersion": LEGACY, "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}}

Headers = Mapping[str, str | None] | list[tuple[str, str]]


@dataclass
class Answer:
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def message(self) -> Any:
        """The JSON-RPC message: the body, or the last event."""
        if self.headers.get("content-type") == "text/event-stream":
            return events(self.body)[-1]
        return json.loads(self.body)

    @property
    def error(self) -> Any:
        return self.message["error"]

    @property
    def text(self) -> str:
        """What a tool said."""
        return str(self.message["result"]["content"][0]["text"])


class Line:
    """One connection. Reading fails after `patience` seconds of silence."""

    def __init__(self, port: int, patience: float = 60.0) -> None:
        self.port = port
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=patience)
        self.reader = self.socket.makefile("rb")

    def __enter__(self) -> "Line":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        with suppress(OSError):  # or whoever reads in another thread keeps us until something comes
            self.socket.shutdown(socket.SHUT_RDWR)
        self.reader.close()
        self.socket.close()

    def send(self, data: bytes | str) -> None:
        self.socket.sendall(data.encode("latin-1") if isinstance(data, str) else data)

    def head(self) -> tuple[int, dict[str, str]]:
        start = self.reader.readline()
        assert start, "the connection ended without an answer"
        headers: dict[str, str] = {}
        while (line := self.reader.readline()) not in (b"\r\n", b""):
            name, _, value = line.decode("latin-1").partition(":")
            headers[name.lower()] = value.strip()
        return int(start.split()[1]), headers

    def answer(self) -> Answer:
        status, headers = self.head()
        if status == 100:
            return self.answer()
        if "content-length" in headers:
            return Answer(status, headers, self.reader.read(int(headers["content-length"])))
        if headers.get("transfer-encoding") == "chunked":
            return Answer(status, headers, b"".join(self.chunks()))
        return Answer(status, headers, self.reader.read())

    def chunks(self) -> Iterator[bytes]:
        """Until the last one; a stream that ends without it fails the test."""
        while True:
            size = int(self.reader.readline(), 16)
            data = self.reader.read(size + 2)
            if not size:
                return
            yield data[:-2]

    def ended(self) -> bool:
        """Whether the other side ends the connection without another byte."""
        try:
            return self.reader.read(1) == b""
        except ConnectionResetError:
            return True


class Caller(Line):
    """Somebody with a key, at one server of the gateway."""

    def __init__(
        self, port: int, key: str | None, server: str = "scripted", patience: float = 60.0
    ) -> None:
        super().__init__(port, patience)
        self.key = key
        self.target = f"/mcp/{server}"
        self.session: str | None = None

    def request(self, body: object = b"", headers: Headers = (), method: str = "POST") -> bytes:  # type: ignore[assignment]
        """`body`: bytes as they are, all else as JSON. A header of None is left out."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines: dict[str, str | None] = {
            "host": f"127.0.0.1:{self.port}",
            "content-type": "application/json",
            "accept": BOTH,
            **presented(self.key),
            "mcp-session-id": self.session,
            "content-length": str(len(data)) if data or method == "POST" else None,
        }
        more = list(headers) if not isinstance(headers, Mapping) else []
        if isinstance(headers, Mapping):
            lines |= headers
        pairs = [(k, v) for k, v in lines.items() if v is not None] + more
        head = "".join(f"{name}: {value}\r\n" for name, value in pairs)
        return f"{method} {self.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + data

    def ask(self, body: object = b"", headers: Headers = (), method: str = "POST") -> Answer:  # type: ignore[assignment]
        self.send(self.request(body, headers, method))
        return self.answer()

    def begin(self) -> Answer:
        """Open a session of the 2025-11-25 revision."""
        answer = self.ask(legacy("initialize", HELLO))
        assert answer.status == 200, answer
        self.session = answer.headers["mcp-session-id"]
        told = self.ask({"jsonrpc": "2.0", "method": "notifications/initialized"})
        assert told.status == 202, told
        return answer

    def tool(self, name: str, arguments: object = None, id: object = 1) -> Answer:
        """Call a tool, in the session if there is one."""
        return self.ask(*self.call(name, arguments, id))

    def call(
        self, name: str, arguments: object = None, id: object = 1
    ) -> tuple[dict[str, Any], Headers]:
        """Body and headers of a tool call."""
        params = {"name": name, "arguments": {} if arguments is None else arguments}
        if self.session is not None:
            return legacy("tools/call", params, id), {}
        return modern("tools/call", params, id), routing("tools/call", name)

    def listen(self) -> None:
        """Open the session's event stream and read its head."""
        self.send(self.request(b"", {"accept": "text/event-stream"}, "GET"))
        status, headers = self.head()
        assert (status, headers["transfer-encoding"]) == (200, "chunked")


def presented(key: str | None) -> dict[str, str | None]:
    """The header in which clients send this: tokens of theirs in no other than this one."""
    if key is not None and key.startswith(ACCESS):
        return {"authorization": f"Bearer {key}"}
    return {"apikey": key}


def legacy(method: str, params: object = None, id: object = 1) -> dict[str, Any]:
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": id, "method": method}
    return message if params is None else {**message, "params": params}


def modern(method: str, params: Mapping[str, Any] | None = None, id: object = 1) -> dict[str, Any]:
    return legacy(method, {**(params or {}), "_meta": dict(ENVELOPE)}, id)


def routing(method: str, name: str | None = None) -> dict[str, str | None]:
    """The headers of a modern request, which repeat its body."""
    return {"mcp-protocol-version": MODERN, "mcp-method": method, "mcp-name": name}


def events(body: bytes) -> list[Any]:
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line]
