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
from torhaus.mcp.extensions import APPS, EXTENSIONS
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.versions import MODERN, negotiate
from torhaus.model.outcome import Answered
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Era, Server, Sharing, StdioAddress
from torhaus.model.verdict import Allow
from torhaus.model.views import View

FRESH = 300.0
"""Seconds for which a server's words about itself are believed."""
STALE = 3600.0
"""Seconds for which they are said on, while the server is asked again."""
AGAIN = 30.0
"""Seconds until one that said nothing in time is asked again."""
GRACE = 0.25
"""Seconds that a caller waits for servers of which nothing is known yet; others answer for them.

What a server offers may be had later all the same: whoever says nothing may offer anything.
"""
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
SEARCHED = (
    " Its tools are not listed: find them with search_tools, see their arguments with"
    " describe_tools, use them with call_tool."
)
_SETTINGS = {APPS: {"mimeTypes": ["text/html;profile=mcp-app"]}}
"""What is said of an extension: of all servers' pages the one kind that there is."""
OFFERED = ("tools", "prompts", "resources", "completions", "logging")


class Hello(msgspec.Struct, frozen=True):
    """`offers`: capabilities and extensions that are relayed. `instructions`: empty for none."""

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
    _asking: dict[tuple[str, str], "asyncio.Task[Hello | None]"] = field(default_factory=dict)
    _slow: dict[str, float] = field(default_factory=dict)

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
        """What is known of each, and of the others what they say at once. Raises LedgerError."""
        found: dict[str, Hello] = {}
        asked: list[Server] = []
        now = self.gate.clock()
        for server in servers:
            known = self._remembered(guest, server, request, now)
            found[server.name] = known or UNKNOWN
            if known is None or not self._is_fresh(guest, server, now):
                self._learn(guest, server, request, deadline)
            if known is None and self._slow.get(server.name, 0.0) <= now:
                asked.append(server)
        if asked:
            found |= await self._quickly(guest, asked, min(GRACE, deadline))
        return found

    async def _quickly(self, guest: Guest, asked: list[Server], seconds: float) -> dict[str, Hello]:
        """What they say within a moment. Who says nothing holds nobody up for a while."""
        tasks = {server.name: self._asking.get((guest.caller.id, server.name)) for server in asked}
        waiting = [each for each in tasks.values() if each is not None]
        if waiting:
            await asyncio.wait(waiting, timeout=seconds)
        until = self.gate.clock() + AGAIN
        found: dict[str, Hello] = {}
        for name, task in tasks.items():
            if task is not None and not task.done():
                self._slow[name] = until
            elif task is not None and not task.cancelled():
                found[name] = task.result() or UNKNOWN
        return found

    def _learn(self, guest: Guest, server: Server, request: Request, deadline: float) -> None:
        """Ask in the background, unless somebody does so for this caller already."""
        key = (guest.caller.id, server.name)
        if key in self._asking:
            return

        async def learn() -> Hello | None:
            try:
                async with asyncio.timeout(deadline):
                    hello = await self._ask(guest, server, request)
            except TimeoutError:
                self._keep(guest, server, AGAIN, None)
                return None
            self._slow.pop(server.name, None)
            if hello is not None:
                self._keep(guest, server, FRESH, hello)
            return hello

        def ended(task: "asyncio.Task[Hello | None]") -> None:
            if self._asking.get(key) is task:
                del self._asking[key]
            if not task.cancelled():
                task.exception()  # whoever waited for it has it

        task = self._asking[key] = asyncio.get_running_loop().create_task(learn())
        task.add_done_callback(ended)

    def _is_fresh(self, guest: Guest, server: Server, now: float) -> bool:
        known = self._known.get((guest.caller.id, server.name))
        return known is not None and known[0] is server and known[1] > now

    def _remembered(
        self, guest: Guest, server: Server, request: Request, now: float
    ) -> Hello | None:
        """What the server told this caller not long ago, if he would hear just that today."""
        known = self._known.get((guest.caller.id, server.name))
        if known is None or known[0] is not server or known[1] + STALE <= now:
            return None
        one, own = _question(guest, server, request, "")
        if known[2] is UNKNOWN or own is None:
            return known[2]
        call = calls.build(one.asking(own, server, None), "", calls.NO_HINTS)
        verdict = self.gate.verdicts.decide(call, now)
        return known[2] if isinstance(verdict, Allow) and verdict.redact is None else None

    def _keep(self, guest: Guest, server: Server, seconds: float, hello: Hello | None) -> None:
        """For him alone: others may hear less, or of another account.

        Where it says nothing now, what it said before is more than nothing.
        """
        key, until = (guest.caller.id, server.name), self.gate.clock() + seconds
        last = self._known.get(key)
        if hello is None:
            hello = last[2] if last is not None and last[0] is server else UNKNOWN
        if len(self._known) >= MOST:
            self._known.clear()
        self._known[key] = (server, until, hello)

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
        self._slow.clear()

    async def close(self) -> None:
        """End what is under way."""
        asking = list(self._asking.values())
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
    able = said["capabilities"]
    extensions = able.get("extensions")
    known = EXTENSIONS.keys() & extensions.keys() if isinstance(extensions, dict) else frozenset()
    offers = frozenset(able).intersection(OFFERED) | known
    return Hello(offers, told.strip()[:MAX_SECTION] if isinstance(told, str) else "")


def capabilities(offers: frozenset[str], era: Era) -> dict[str, Any]:
    """What is offered here, of what the servers offer; lists change when any of theirs does."""
    able: dict[str, Any] = {each: {} for each in OFFERED if each in offers}
    for each in ("tools", "prompts", "resources"):
        if each in able:
            able[each] = {"listChanged": True}
    if "resources" in able:
        able["resources"]["subscribe"] = True
    extensions = {
        name: _SETTINGS.get(name, {})
        for name, relayed in EXTENSIONS.items()
        if name in offers and (relayed.many_legacy if era is Era.LEGACY else relayed.many_modern)
    }
    if extensions:
        able["extensions"] = extensions
    return able


def instructions(view: View, hellos: dict[str, Hello]) -> str:
    """A preamble, and what each server says, under its name."""
    if view.instructions:
        return view.instructions
    preamble = PREAMBLE + SEARCHED if view.searched else PREAMBLE
    text = f"{view.description}\n\n{preamble}" if view.description else preamble
    for name, hello in hellos.items():
        section = f"\n\n[{name}]\n{hello.instructions}"
        if hello.instructions and len(text) + len(section) <= MAX_WHOLE:
            text += section
    return text
