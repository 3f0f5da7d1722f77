"""What many servers say of themselves, as one: capabilities and instructions."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import msgspec

from torhaus import __version__
from torhaus.gate import calls
from torhaus.gate.aggregate.draining import Silent
from torhaus.gate.aggregate.guests import CLIENT_INFO, Guest
from torhaus.gate.gate import Gate
from torhaus.gate.lists import UNREADABLE
from torhaus.gate.relay import Relay
from torhaus.gate.talk import Talk
from torhaus.mcp.eras import SERVER_INFO
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.versions import MODERN, negotiate
from torhaus.model.outcome import Answered
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Era, Server, Sharing, StdioAddress
from torhaus.model.verdict import Allow
from torhaus.model.views import View

FRESH = 300.0
"""Seconds for which a server's words about itself are believed."""
AGAIN = 30.0
"""Seconds until one that said nothing in time is asked again."""
MOST = 4096
"""Words of servers to callers that are remembered."""
MAX_SECTION = 4096
MAX_WHOLE = 16_384
"""Longest instructions of one server, and of all together, in characters."""

OURSELVES = {"name": "torhaus", "title": "Torhaus", "version": __version__}
PREAMBLE = (
    "Several servers stand behind this address. The name of a tool or prompt begins with its"
    " server's (SERVER__NAME), the address of a resource too (SERVER+URI)."
)
OFFERED = ("tools", "prompts", "resources", "completions", "logging")


class Hello(msgspec.Struct, frozen=True):
    """`offers`: the capabilities that are relayed. `instructions`: empty where there are none."""

    offers: frozenset[str]
    instructions: str = ""


UNKNOWN = Hello(frozenset(OFFERED))
"""Of a server that says nothing now, and may offer anything later."""


@dataclass(slots=True, kw_only=True)
class Hellos:
    """Owned by one event loop."""

    gate: Gate
    talk: Talk
    _known: dict[tuple[str, str], tuple[Server, float, Hello]] = field(default_factory=dict)
    _asking: set["asyncio.Task[Hello | None]"] = field(default_factory=set)

    async def answer(
        self, guest: Guest, servers: list[Server], request: Request, deadline: float
    ) -> bytes:
        """The result of `initialize` or `server/discover`. Raises LedgerError."""
        hellos = await self._heard(guest, servers, request, deadline)
        offers = frozenset[str]().union(*(each.offers for each in hellos.values()))
        said = instructions(guest.view, hellos)
        more = {"instructions": said} if said else {}
        able = capabilities(offers, guest.era)
        if request.method == "initialize":
            version = negotiate(request.params.get("protocolVersion"))
            head = {"protocolVersion": version, "capabilities": able, "serverInfo": OURSELVES}
            return encode({**head, **more})
        head = {"resultType": "complete", "supportedVersions": [MODERN], "capabilities": able}
        hints = {"ttlMs": 0, "cacheScope": "private", "_meta": {SERVER_INFO: OURSELVES}}
        return encode({**head, **hints, **more})

    async def _heard(
        self, guest: Guest, servers: list[Server], request: Request, deadline: float
    ) -> dict[str, Hello]:
        found: dict[str, Hello] = {}
        asked: dict[str, asyncio.Task[Hello | None]] = {}
        for server in servers:
            known = self._remembered(guest, server, request)
            if known is not None:
                found[server.name] = known
            else:
                work = self._ask(guest, server, request)
                task = asked[server.name] = asyncio.get_running_loop().create_task(work)
                self._asking.add(task)
                task.add_done_callback(self._asking.discard)
        if asked:
            await asyncio.wait(asked.values(), timeout=deadline)
        for server in servers:
            if server.name in asked:
                found[server.name] = self._told(guest, server, asked[server.name])
        return {server.name: found[server.name] for server in servers}

    def _remembered(self, guest: Guest, server: Server, request: Request) -> Hello | None:
        """What the server told this caller a moment ago, if he would hear just that today."""
        now = self.gate.clock()
        known = self._known.get((guest.caller.id, server.name))
        if known is None or known[0] is not server or known[1] <= now:
            return None
        one, own = _question(guest, server, request, "")
        if known[2] is UNKNOWN or own is None:
            return known[2]
        call = calls.build(one.asking(own, server, None), "", calls.NO_HINTS)
        verdict = self.gate.verdicts.decide(call, now)
        return known[2] if isinstance(verdict, Allow) and verdict.redact is None else None

    def _keep(self, guest: Guest, server: Server, seconds: float, hello: Hello) -> None:
        """For him alone: others may hear less, or of another account."""
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[guest.caller.id, server.name] = (server, self.gate.clock() + seconds, hello)

    def _told(self, guest: Guest, server: Server, task: "asyncio.Task[Hello | None]") -> Hello:
        """Raises LedgerError."""
        if not task.done():
            task.cancel()
            self._keep(guest, server, AGAIN, UNKNOWN)
            return UNKNOWN
        hello = task.result()
        if hello is None:
            return UNKNOWN
        self._keep(guest, server, FRESH, hello)
        return hello

    async def _ask(self, guest: Guest, server: Server, request: Request) -> Hello | None:
        """What the server says, asked through the gate. None: nothing. Raises LedgerError."""
        one, own = _question(guest, server, request, self.gate.ids())
        if own is None:
            return None
        asking = one.asking(own, server, None)
        relay = Relay(Silent(), self.talk, server, guest.caller.id, None)
        try:
            outcome = await self.gate.admit(asking, relay)
        except (CallerError, UpstreamError):
            return None
        if not isinstance(outcome, Answered) or outcome.answer.result is None:
            return None
        return _read(outcome.answer.result)

    def clear(self) -> None:
        """Other rules are in force."""
        self._known.clear()

    async def close(self) -> None:
        """End what is under way."""
        asking = list(self._asking)
        for task in asking:
            task.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def _question(
    guest: Guest, server: Server, request: Request, id: str
) -> tuple[Guest, Request | None]:
    """How the server is asked, without starting more of it than the calls to come will use."""
    if guest.era is Era.LEGACY and isinstance(server.address, StdioAddress):
        # A program of its own for each session is not started just to hear what it says.
        private = server.sharing is Sharing.SESSION
        own = Request(encode(id), request.method, request.params, request.payload)
        return guest, None if private else own
    info = request.params.get("clientInfo")
    meta = guest.meta if guest.era is Era.MODERN else {CLIENT_INFO: info} if info else {}
    stateless = msgspec.structs.replace(guest, era=Era.MODERN, front=None, meta=meta)
    return stateless, stateless.own(id, "server/discover", {})


def _read(result: bytes) -> Hello | None:
    try:
        said = msgspec.json.decode(result)
    except UNREADABLE:
        return None
    if not isinstance(said, dict) or not isinstance(said.get("capabilities"), dict):
        return None
    told = said.get("instructions")
    offers = frozenset(said["capabilities"]).intersection(OFFERED)
    return Hello(offers, told.strip()[:MAX_SECTION] if isinstance(told, str) else "")


def capabilities(offers: frozenset[str], era: Era) -> dict[str, Any]:
    """What is offered here, of what the servers offer; lists change when any of theirs does."""
    legacy = era is Era.LEGACY
    changes = {"listChanged": True} if legacy else {}
    able: dict[str, Any] = {each: {} for each in OFFERED if each in offers}
    for each in ("tools", "prompts", "resources"):
        if each in able:
            able[each] = dict(changes)
    if legacy and "resources" in able:
        able["resources"]["subscribe"] = True
    return able


def instructions(view: View, hellos: dict[str, Hello]) -> str:
    """A preamble, and what each server says, under its name."""
    if view.instructions:
        return view.instructions
    text = f"{view.description}\n\n{PREAMBLE}" if view.description else PREAMBLE
    for name, hello in hellos.items():
        section = f"\n\n[{name}]\n{hello.instructions}"
        if hello.instructions and len(text) + len(section) <= MAX_WHOLE:
            text += section
    return text
