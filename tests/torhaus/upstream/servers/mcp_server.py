"""A streamable HTTP server of either era or both, as forgetful as a story wants."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from tests.torhaus.upstream.servers.http_server import Heard, Wire, error, head, result, whole

LEGACY = "2025-11-25"
MODERN = "2026-07-28"

Tool = Callable[[Wire, Heard], Awaitable[None]]


async def say_name(wire: Wire, heard: Heard) -> None:
    """Answer a call with the name of its tool."""
    name = heard.message.get("params", {}).get("name", heard.asked)
    wire.say(whole(result(heard.message["id"], {"content": [{"type": "text", "text": name}]})))


@dataclass
class McpServer:
    """`script` serves one connection.

    `eras`: what it speaks. `stateful`: whether it hands out session ids. `lost`: what it says to a
    session it does not know. `foreign`: what it says to a request of an era it does not speak.
    `tool`: answers everything else. `stream`: answers GET.
    """

    eras: tuple[str, ...] = ("legacy",)
    stateful: bool = True
    lost: bytes = whole(error(None, -32001, "Session not found"), "404 Not Found")
    foreign: bytes = whole(
        error(None, -32000, "Bad Request: Server not initialized"), "400 Bad Request"
    )
    version: str = LEGACY
    tool: Tool = say_name
    stream: Tool | None = None
    opening: asyncio.Event | None = None
    opened: int = 0
    sessions: set[str] = field(default_factory=set)
    ended: list[str] = field(default_factory=list)
    initialized: list[str | None] = field(default_factory=list)

    async def script(self, wire: Wire) -> None:
        while True:
            heard = await wire.request()
            await self.react(wire, heard)

    async def react(self, wire: Wire, heard: Heard) -> None:
        modern = heard.headers.get("mcp-protocol-version") == MODERN
        if ("modern" if modern else "legacy") not in self.eras:
            wire.say(self.foreign)
        elif modern:
            await self._modern(wire, heard)
        elif heard.body and heard.asked == "initialize":
            await self._initialize(wire, heard)
        else:
            await self._in_session(wire, heard)

    async def _modern(self, wire: Wire, heard: Heard) -> None:
        if heard.asked == "server/discover":
            known = {
                "resultType": "complete",
                "supportedVersions": [MODERN],
                "capabilities": {"tools": {}, "logging": {}},
                "_meta": {"io.modelcontextprotocol/serverInfo": {"name": "new", "version": "1"}},
            }
            wire.say(whole(result(heard.message["id"], known)))
        else:
            await self.tool(wire, heard)

    async def _initialize(self, wire: Wire, heard: Heard) -> None:
        if self.opening is not None:
            await self.opening.wait()
        self.opened += 1
        lines = []
        if self.stateful:
            self.sessions.add(f"s-{self.opened}")
            lines = [f"Mcp-Session-Id: s-{self.opened}"]
        known = {
            "protocolVersion": self.version,
            "capabilities": {"tools": {}},
            "serverInfo": {"name": "old", "version": "1"},
        }
        wire.say(whole(result(heard.message["id"], known), "200 OK", *lines))

    async def _in_session(self, wire: Wire, heard: Heard) -> None:
        known = heard.headers.get("mcp-session-id")
        if self.stateful and known not in self.sessions:
            wire.say(self.lost)
        elif heard.method == "DELETE":
            self.sessions.discard(known or "")
            self.ended.append(known or "")
            wire.say(whole(b""))
        elif heard.method == "GET":
            if self.stream is None:
                wire.say(head("405 Method Not Allowed", "content-length: 0"))
            else:
                await self.stream(wire, heard)
        elif "id" not in heard.message or "method" not in heard.message:
            if heard.asked == "notifications/initialized":
                self.initialized.append(known)
            wire.say(head("202 Accepted", "content-length: 0"))
        else:
            await self.tool(wire, heard)

    def forget(self) -> None:
        """Lose the sessions, but not the connections."""
        self.sessions.clear()


def text_of(raw: bytes | None) -> Any:
    """What the tool said."""
    assert raw is not None
    return json.loads(raw)["content"][0]["text"]
