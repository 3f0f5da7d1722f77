"""Several scripted servers behind one gate, and people in front of all of them."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import msgspec

from tests.torhaus.cast import ALICE, BOB, DANA, MALLORY, World
from tests.torhaus.edge.doors import Caller, House
from tests.torhaus.edge.lanes import listening
from tests.torhaus.scripted import ScriptedServer, dumps, text
from torhaus.config.settings import Settings
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.many import Many
from torhaus.gate.talk import Talk
from torhaus.identity.keys import digest
from torhaus.model.outcome import Answer
from torhaus.model.people import Principal
from torhaus.model.ports import Ask, Sink
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, HttpAddress, Server
from torhaus.model.views import EVERYTHING, View

KEYS = {"alice-key": ALICE, "bob-key": BOB, "dana-key": DANA, "mallory-key": MALLORY}
UNKNOWN = dumps({"code": -32601, "message": "Method not found"})


@dataclass
class Member(ScriptedServer):
    """One server of the crowd. `tools`: as it lists them. `hangs`: it never answers a list."""

    name: str = ""
    tools: list[dict[str, Any]] = field(default_factory=list)
    more: dict[str, Answer] = field(default_factory=dict)
    hangs: bool = False

    def __post_init__(self) -> None:
        self.script = self.plays

    async def plays(self, ask: Ask, sink: Sink) -> Answer:
        if ask.method in self.more:
            return self.more[ask.method]
        if ask.method == "tools/list":
            if self.hangs:
                await asyncio.get_running_loop().create_future()
            return Answer(result=dumps({"tools": self.tools}))
        if ask.method == "server/discover":
            known = {"capabilities": {"tools": {}}, "instructions": f"ask {self.name}"}
            return Answer(result=dumps(known))
        if ask.method == "tools/call":
            return text(f"{self.name} {ask.name} {json.loads(ask.params).get('arguments')}")
        return Answer(error=UNKNOWN, status=404)

    def methods(self) -> list[str]:
        return [ask.method for ask in self.asked]


class Row:
    """The `Upstreams` that lead to each of them."""

    def __init__(self, members: Mapping[str, Member]) -> None:
        self.members = members

    def link(self, server: Server) -> Member:
        return self.members[server.name]


def tool(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "inputSchema": {"type": "object"}, **more}


class Crowd(World):
    """Three servers: `github` with the cast's rights, `docs` and `tea`, where only Dana is."""

    def __init__(self, *names: str) -> None:
        super().__init__()
        names = names or ("github", "docs", "tea")
        self.members = {
            name: Member(name=name, tools=[tool("list_issues"), tool("get__it")]) for name in names
        }
        self.servers = {
            name: self.server
            if name == self.server.name
            else Server(name=name, address=HttpAddress(url=f"http://127.0.0.1/{name}"))
            for name in names
        }
        self.rules = msgspec.structs.replace(self.rules, servers=self.servers)
        self.gate = replace(self.gate, upstreams=Row(self.members))
        self.talk = Talk(gate=self.gate)
        self.many = Many(gate=self.gate, talk=self.talk, rules=lambda: self.rules)

    def guest(self, by: Principal = DANA, view: View = EVERYTHING, **more: Any) -> Guest:
        known: dict[str, Any] = {"era": Era.MODERN, "ip": "192.0.2.7", **more}
        return Guest(caller=by, view=view, visit=lambda server: NotThere(), **known)

    def tells(self, **changes: Any) -> "Crowd":
        """With other settings of lists."""
        aggregate = msgspec.structs.replace(self.rules.aggregate, **changes)
        self.rules = msgspec.structs.replace(self.rules, aggregate=aggregate)
        return self


class NotThere:
    """A caller who has no door to be seen at."""

    gone = False

    def renewed(self, rules: Rules, now: float) -> None:
        """He would not be let in."""


class Place(House):
    """A whole edge in front of the crowd."""

    def __init__(self, crowd: Crowd, **rules: Any) -> None:
        keys = {digest(key): who for key, who in KEYS.items()}
        people = {who.id: who for who in KEYS.values()}
        super().__init__(crowd, Settings(), keys=keys, principals=people)
        self.crowd = crowd
        known = {"servers": crowd.servers, "aggregate": crowd.rules.aggregate, **rules}
        self.rules = msgspec.structs.replace(self.rules, **known)

    async def come(self, key: str = "dana-key", target: str = "/mcp") -> Caller:
        return await self.connect(key, target)


@asynccontextmanager
async def open_place(crowd: Crowd | None = None, **rules: Any) -> AsyncIterator[Place]:
    place = Place(crowd or Crowd(), **rules)
    async with listening(place.edge, 1_000_000) as lanes:
        place.lanes = lanes
        try:
            yield place
        finally:
            await place.edge.drain(0.05)
            await place.edge.many.close()
