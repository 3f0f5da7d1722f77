"""A whole edge on a real socket, over the gate of the cast and its scripted server."""

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

from tests.torhaus.cast import ALICE, BOB, CAROL, MALLORY, World
from tests.torhaus.edge.lanes import Answer, Client, Lanes, listening
from tests.torhaus.scripted import answer_by_tool
from torhaus.config.settings import Settings
from torhaus.edge.admission import Admission
from torhaus.edge.mcp import McpEdge
from torhaus.identity.keys import digest
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.live import Live
from torhaus.model.outcome import Answer as Answered
from torhaus.model.people import AnonymousAccess, Principal
from torhaus.model.ports import Ask, Sink
from torhaus.model.rules import Rules

KEYS = {"alice-key": ALICE, "bob-key": BOB, "carol-key": CAROL, "mallory-key": MALLORY}
GUEST = Principal(id="anonymous", email="anonymous", phases=ALICE.phases)
LOCAL = AnonymousAccess((ip_network("127.0.0.0/8"),), GUEST)
ENVELOPE = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}
INITIALIZE = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "c"}}


class House:
    """`rules` may be replaced while it runs."""

    def __init__(
        self, world: World, settings: Settings, live: Live | None = None, **rules: Any
    ) -> None:
        self.world = world
        found = {"keys": {digest(key): who for key, who in KEYS.items()}, **rules}
        self.rules = Rules(version="1", servers={world.server.name: world.server}, **found)
        self.edge = McpEdge(
            admission=Admission(settings, live=live, clock=world.gate.clock),
            rules=lambda: self.rules,
            gate=world.gate,
            talk=world.talk,
            live=live,
        )
        self.lanes: Lanes

    async def connect(self, key: str | None = "alice-key", target: str = "/mcp/github") -> "Caller":
        return Caller(await self.lanes.connect(), key, target)

    def records(self) -> list[tuple[str, str]]:
        """Operation and status of every record, oldest first."""
        noted = self.world.ledger.noted
        return [(record.operation, record.result.status) for record in noted]


class Caller:
    """A client with a key on one connection."""

    def __init__(self, client: Client, key: str | None, target: str) -> None:
        self.client = client
        self.key = key
        self.target = target
        self.session: str | None = None

    def send(
        self, body: object, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> None:
        """`body`: bytes as they are, anything else as JSON. A header of None is left out."""
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        lines: dict[str, str | None] = {
            "host": "localhost",
            "content-type": "application/json",
            "accept": "application/json, text/event-stream",
            "apikey": self.key,
            "mcp-session-id": self.session,
            "content-length": str(len(data)) if data or method == "POST" else None,
            **(headers or {}),
        }
        head = "".join(f"{k}: {v}\r\n" for k, v in lines.items() if v is not None)
        self.client.send(f"{method} {self.target} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + data)

    async def ask(
        self, body: object, headers: Mapping[str, str] | None = None, method: str = "POST"
    ) -> Answer:
        self.send(body, headers, method)
        return await self.client.answer()

    async def begin(self, **able: Any) -> Answer:
        """Open a session. `able`: what the client can do."""
        answer = await self.ask(legacy("initialize", {**INITIALIZE, "capabilities": able}))
        self.session = answer.headers[b"mcp-session-id"].decode()
        return answer


def legacy(method: str, params: object = None, id: object = 1) -> dict[str, Any]:
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": id, "method": method}
    return message if params is None else {**message, "params": params}


def modern(method: str, params: Mapping[str, Any] | None = None, id: object = 1) -> dict[str, Any]:
    return legacy(method, {**(params or {}), "_meta": dict(ENVELOPE)}, id)


def routing(method: str, name: str | None = None) -> dict[str, str]:
    """The headers a modern request carries."""
    headers = {"mcp-protocol-version": MODERN, "mcp-method": method}
    return headers if name is None else {**headers, "mcp-name": name}


def tool(name: str = "list_issues", id: object = 1) -> tuple[dict[str, Any], dict[str, str]]:
    """A modern tool call: body and headers."""
    return modern("tools/call", {"name": name, "arguments": {}}, id), routing("tools/call", name)


def said(answer: Answer) -> Any:
    """The JSON-RPC message of an answer: its body, or the last event of its stream."""
    if answer.headers.get(b"content-type") == b"text/event-stream":
        return events(answer.body)[-1]
    return json.loads(answer.body)


def events(body: bytes) -> list[Any]:
    lines = [line[6:] for line in body.split(b"\n") if line.startswith(b"data: ")]
    return [json.loads(line) for line in lines if line]


async def polite(ask: Ask, sink: Sink) -> Answered:
    """A server that can also begin a session."""
    if ask.method == "initialize":
        return Answered(result=b'{"protocolVersion":"2025-11-25","capabilities":{}}')
    return await answer_by_tool(ask, sink)


@asynccontextmanager
async def open_house(
    world: World | None = None,
    settings: Settings | None = None,
    live: Live | None = None,
    **rules: Any,
) -> AsyncIterator[House]:
    world = World().knows_the_tools() if world is None else world
    if world.upstream.script is answer_by_tool:
        world.upstream.script = polite
    house = House(world, settings or Settings(), live, **rules)
    async with listening(house.edge, 100_000) as lanes:
        house.lanes = lanes
        yield house
