"""A small client that speaks MCP over HTTP byte by byte: for load, and for what no SDK would do."""

import http.client
import json
import weakref
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

VERSION, MODERN = "2025-11-25", "2026-07-28"
BOTH = "application/json, text/event-stream"


class Wire:
    """One connection, one session of the 2025-11-25 revision."""

    def __init__(
        self, url: str, headers: dict[str, str] | None = None, timeout: float = 90
    ) -> None:
        parts = urlsplit(url)
        self._path = parts.path
        self._connection = http.client.HTTPConnection(
            parts.hostname or "127.0.0.1", parts.port, timeout=timeout
        )
        weakref.finalize(self, self._connection.close)  # a test may simply forget its client
        self._headers = dict(headers or {})
        self._number = 0
        self.session: str | None = None

    def open(self) -> dict[str, Any]:
        """Initialize, and return the server's result."""
        opened: dict[str, Any] = self.call(
            "initialize",
            {
                "protocolVersion": VERSION,
                "capabilities": {},
                "clientInfo": {"name": "wire", "version": "1"},
            },
        )
        self.notify("notifications/initialized")
        return opened

    def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """The result of a request. Raises RuntimeError with the error or the page instead."""
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params or {}}
        status, kind, body = self._send("POST", json.dumps(message).encode())
        answer = next((each for each in messages(kind, body) if each.get("id") == self._number), {})
        if "result" not in answer:
            raise RuntimeError(f"{status}: {body.decode(errors='replace')[:500]}")
        return answer["result"]

    def tool(self, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
        result: dict[str, Any] = self.call("tools/call", {"name": name, "arguments": arguments})
        return result

    def notify(self, method: str) -> None:
        status, _, body = self._send(
            "POST", json.dumps({"jsonrpc": "2.0", "method": method}).encode()
        )
        if status != 202:
            raise RuntimeError(f"{method}: {status} {body.decode(errors='replace')[:500]}")

    def close(self) -> int:
        """End the session and the connection; returns the status of the DELETE."""
        status, _, _ = self._send("DELETE", b"")
        self.session = None
        return status

    def hang_up(self) -> None:
        self._connection.close()

    def _send(self, method: str, body: bytes) -> tuple[int, str, bytes]:
        headers = {"Content-Type": "application/json", "Accept": BOTH, **self._headers}
        if self.session is not None:
            headers |= {"Mcp-Session-Id": self.session, "MCP-Protocol-Version": VERSION}
        self._connection.request(method, self._path, body, headers)
        response = self._connection.getresponse()
        answer = response.read()
        self.session = response.getheader("mcp-session-id") or self.session
        return response.status, response.getheader("content-type") or "", answer


def messages(kind: str, body: bytes) -> Iterator[dict[str, Any]]:
    """The JSON-RPC messages of a body, which is JSON or an event stream."""
    if not kind.startswith("text/event-stream"):
        if body:
            yield json.loads(body)
        return
    for event in body.replace(b"\r\n", b"\n").split(b"\n\n"):
        lines = [line[5:].lstrip() for line in event.split(b"\n") if line.startswith(b"data:")]
        if any(lines):
            yield json.loads(b"\n".join(lines))


def stateless(
    url: str, key: str, tool: str, arguments: dict[str, Any], able: dict[str, Any], **more: Any
) -> Any:
    """The answer to a tool call of 2026-07-28 whose client can be asked for what `able` says."""
    prefix = "io.modelcontextprotocol/"
    envelope = {
        prefix + "protocolVersion": MODERN,
        prefix + "clientInfo": {"name": "raw", "version": "1"},
        prefix + "clientCapabilities": able,
    }
    params = {"name": tool, "arguments": arguments, "_meta": envelope, **more}
    body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
    headers = {
        "apikey": key,
        "content-type": "application/json",
        "accept": BOTH,
        "mcp-protocol-version": MODERN,
        "mcp-method": "tools/call",
        "mcp-name": tool,
    }
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    try:
        connection.request("POST", parts.path, json.dumps(body).encode(), headers)
        answer = connection.getresponse()
        kind = answer.getheader("content-type") or ""
        return next(each for each in messages(kind, answer.read()) if each.get("id") == 1)
    finally:
        connection.close()
