"""The cast of the stories: people, a turning clock, and the gate they meet at.

Everything but the outside world is real: policy, cache, counters, seals, sessions, flights.
"""

import asyncio
import itertools
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from tests.torhaus.scripted import TOOLS, ScriptedServer, dumps, listing
from tests.torhaus.witnesses import Counter, MemoryApprovals, MemoryLedger, Window
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.flights import Flights
from torhaus.gate.further import Further
from torhaus.gate.gate import Gate
from torhaus.gate.patience import Patience
from torhaus.gate.relay import Relay
from torhaus.gate.sessions import Hello, Sessions
from torhaus.gate.talk import Talk
from torhaus.gate.verdicts import Verdicts
from torhaus.gate.waits import Waits
from torhaus.mcp.message import Request, read
from torhaus.mcp.seal import Sealer
from torhaus.mcp.versions import CAPABILITIES_KEY, MODERN, VERSION_KEY
from torhaus.model.access import Access
from torhaus.model.caching import CacheRule, Caching
from torhaus.model.outcome import Outcome
from torhaus.model.people import Phase, Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, HttpAddress, Server
from torhaus.model.session import Session
from torhaus.policy.permission import parse
from torhaus.policy.tables import shipped
from torhaus.store.counters import MemoryCounters
from torhaus.store.memory import MemoryCache

NOW = 1_790_000_000.0
DAY = 86400.0
SECRET = b"an unremarkable sealing secret, long enough"
ENVELOPE = {VERSION_KEY: MODERN, CAPABILITIES_KEY: {}}


def run(story: Coroutine[Any, Any, None]) -> None:
    """Play an asynchronous story to its end: within seconds, however busy the machine is."""

    async def bounded() -> None:
        async with asyncio.timeout(120):
            await story

    asyncio.run(bounded())


def person(
    name: str, role: str, *permissions: str, server: str = "*", expires: float | None = None
) -> Principal:
    held = tuple(parse(text, f"{role}: {text}") for text in permissions)
    access = {server: Access(allows=held)} if held else {}
    return Principal(
        id=f"u-{name}",
        email=f"{name}@example.org",
        expires=expires,
        phases=(Phase(roles=(role,), access=access),),
    )


def limited(who: Principal, **changes: Any) -> Principal:
    """The same person with other access on the one server he has."""
    (phase,) = who.phases
    ((server, access),) = phase.access.items()
    changed = {server: msgspec.structs.replace(access, **changes)}
    return msgspec.structs.replace(who, phases=(msgspec.structs.replace(phase, access=changed),))


ALICE = person("alice", "developer", "github.read", server="github")
BOB = person("bob", "developer", "github.read", server="github")
CAROL = person("carol", "contractor", "github.read", server="github", expires=NOW + DAY)
DANA = person("dana", "admin", "*")
MALLORY = person("mallory", "guest")
EVERYBODY = (ALICE, BOB, CAROL, DANA, MALLORY)


def keeping(ttl: float) -> Caching:
    """All answers of tools that read, so many seconds."""
    return Caching(other=CacheRule(ttl=ttl))


def github(**changes: Any) -> Server:
    classes, parents = shipped("github", None)
    address = HttpAddress(url="http://127.0.0.1:9000/mcp")
    known = {"name": "github", "address": address, "classes": classes, "parents": parents}
    return Server(**{**known, **changes})


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now

    def turn(self, seconds: float) -> None:
        self.now += seconds


def randoms() -> Callable[[int], bytes]:
    """Bytes that never repeat and are the same in every run."""
    counter = itertools.count(1)
    return lambda n: next(counter).to_bytes(n, "big")


def sealer() -> Sealer:
    return Sealer(SECRET, randoms())


class World:
    """A gate and its talk over the scripted server. `server` is the one everybody calls."""

    def __init__(self, server: Server | None = None) -> None:
        self.server = github() if server is None else server
        self.clock = Clock()
        self.upstream = ScriptedServer()
        self.ledger = MemoryLedger()
        self.meter = Counter()
        self.sealer = sealer()
        self.sessions = Sessions(self.sealer, randoms())
        self.approvals = MemoryApprovals()
        self.rules = Rules(version="1", policy_version="p1")
        self.patience = Patience(
            approvals=self.approvals,
            rules=lambda: self.rules,
            link=lambda approval: f"https://gate.example.org/approvals/{approval.id}?t=x",
            sealer=self.sealer,
            waits=Waits(randoms()),
            further=Further(self.sealer, randoms()),
            clock=self.clock,
        )
        numbers = itertools.count(1)
        self.gate = Gate(
            upstreams=self.upstream,
            cache=MemoryCache(),
            counters=MemoryCounters(),
            ledger=self.ledger,
            meter=self.meter,
            sealer=self.sealer,
            sessions=self.sessions,
            catalogue=Catalogue(),
            flights=Flights(),
            verdicts=Verdicts(),
            patience=self.patience,
            parked={},
            clock=self.clock,
            stopwatch=self.clock,
            ids=lambda: f"req_{next(numbers)}",
        )
        self.talk = Talk(gate=self.gate)

    def knows_the_tools(self) -> "World":
        """As after the first call: the gate need not ask for the list any more."""
        result = listing(*TOOLS).result or b""
        self.gate.catalogue.learn(self.server, [result], self.clock())
        return self

    def person(self, session: Session) -> Principal:
        """Whose session it is."""
        return next(each for each in EVERYBODY if each.id == session.principal)

    def session(self, by: Principal = ALICE, **more: Any) -> Session:
        hello = Hello(version="2025-11-25", capabilities=b"{}", client_info=b'{"name":"test"}')
        return self.sessions.open(
            server=self.server.name,
            principal=by.id,
            hello=more.get("hello", hello),
            upstream_id=more.get("upstream_id"),
            now=self.clock(),
        )

    def asking(
        self,
        method: str,
        params: Mapping[str, Any] | None = None,
        *,
        by: Principal = ALICE,
        session: Session | None = None,
        id: object = 1,
    ) -> Asking:
        """A request as the edge hands it on; modern unless there is a session."""
        era = Era.MODERN if session is None and method != "initialize" else Era.LEGACY
        return Asking(
            request=request(method, params, era=era, id=id),
            caller=by,
            server=self.server,
            era=era,
            ip="192.0.2.7",
            session=session,
        )

    def tool(self, name: str, arguments: object = None, **more: Any) -> Asking:
        params: dict[str, Any] = {"name": name}
        if arguments is not None:
            params["arguments"] = arguments
        return self.asking("tools/call", {**params, **more.pop("extra", {})}, **more)

    async def admit(self, asking: Asking, front: Window | None = None) -> Outcome:
        return await self.gate.admit(asking, self.relay(asking, front))

    def relay(self, asking: Asking, front: Window | None = None) -> Relay:
        front = Window() if front is None else front
        return Relay(front, self.talk, asking.server, asking.caller.id, asking.session)

    def begin(self, asking: Asking, front: Window | None = None) -> "asyncio.Task[Outcome]":
        """A call under way, which can be cancelled as the edge would."""
        task = asyncio.ensure_future(self.admit(asking, front))
        if asking.session is not None:
            asking.session.running[asking.request.id] = task.cancel
        return task


def request(
    method: str,
    params: Mapping[str, Any] | None = None,
    *,
    era: Era = Era.MODERN,
    id: object = 1,
) -> Request:
    """A request through the strict reader, as everything that comes to the door."""
    message: dict[str, Any] = {"jsonrpc": "2.0", "id": id, "method": method}
    if era is Era.MODERN:
        message["params"] = {
            **(params or {}),
            "_meta": {**ENVELOPE, **(params or {}).get("_meta", {})},
        }
    elif params is not None:
        message["params"] = dict(params)
    found = read(dumps(message))
    assert isinstance(found, Request)
    return found


async def settled(turns: int = 20) -> None:
    """Let everything that can go on without the outside go on."""
    for _ in range(turns):
        await asyncio.sleep(0)
