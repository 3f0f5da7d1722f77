"""Many servers as one: each request becomes a request to one of them, through the gate."""

from collections.abc import Callable
from dataclasses import dataclass, field

import msgspec

from torhaus.gate.aggregate import rewriting
from torhaus.gate.aggregate.draining import Draining, Silent
from torhaus.gate.aggregate.finding import Finding
from torhaus.gate.aggregate.fronts import Front, Fronts, Listens
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.hellos import Hellos
from torhaus.gate.aggregate.lists import Lists
from torhaus.gate.aggregate.notes import note
from torhaus.gate.aggregate.routing import Routed, with_fixed
from torhaus.gate.aggregate.saying import Changed, Saying
from torhaus.gate.aggregate.shelf import Shelf
from torhaus.gate.calls import Asking
from torhaus.gate.gate import Gate
from torhaus.gate.lists import UNREADABLE
from torhaus.gate.news import TOOLS
from torhaus.gate.relay import Front as Stream
from torhaus.gate.relay import Relay
from torhaus.gate.replays import about
from torhaus.gate.talk import Talk
from torhaus.mcp import codes
from torhaus.mcp.eras import decode
from torhaus.mcp.hearing import LEVELS
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.params import repeated
from torhaus.model.outcome import Answer, Answered, Held, Outcome
from torhaus.model.ports import Detached, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server

COMPLETION = "completion/complete"
NO_VALUES = {"completion": {"values": [], "total": 0, "hasMore": False}}


@dataclass(slots=True, kw_only=True)
class Many:
    """Owned by one event loop, like the gate. `rules` returns the snapshot in force."""

    gate: Gate
    talk: Talk
    rules: Callable[[], Rules]
    following: set[Listens] = field(default_factory=set)
    fronts: Fronts = field(init=False)
    shelf: Shelf = field(init=False)
    lists: Lists = field(init=False)
    hellos: Hellos = field(init=False)
    finding: Finding = field(init=False)

    def __post_init__(self) -> None:
        self.fronts = Fronts(self.gate, self.rules)
        self.shelf = Shelf(self.gate.clock)
        draining = Draining(gate=self.gate, talk=self.talk, fronts=self.fronts, shelf=self.shelf)
        self.lists = Lists(draining=draining)
        self.hellos = Hellos(gate=self.gate, talk=self.talk)
        self.finding = Finding(gate=self.gate, lists=self.lists, rules=self.rules)
        self.talk.heard.append(self.shelf.changed)
        self.talk.news.pinned.append(self._repinned)

    # -- one server's request ------------------------------------------------------------------

    def asking(self, guest: Guest, routed: Routed) -> Asking:
        """The request as it stands at its server's gate. Raises CallerError."""
        server, request = routed.server, routed.request
        headers = guest.headers
        if routed.fixed:
            marked = self.gate.catalogue.marks(server.name, str(request.params["name"]))
            headers = with_fixed(routed, headers, marked)
        return guest.asking(request, server, guest.session(self.fronts, server), headers)

    async def reaching(self, guest: Guest, routed: Routed) -> Asking:
        """The same of a tool that was searched for: the caller cannot know what goes in headers.

        Raises LedgerError.
        """
        server, request = routed.server, routed.request
        headers: tuple[tuple[str, str], ...] = ()
        if guest.era is Era.MODERN:
            name, given = str(request.params["name"]), request.params.get("arguments")
            await self.finding.learn(guest, server, name)
            marked = self.gate.catalogue.marks(server.name, name)
            headers = repeated(marked, given) if isinstance(given, dict) else ()
        return guest.asking(request, server, guest.session(self.fronts, server), headers)

    async def carry(
        self, guest: Guest, asking: Asking, stream: Stream, changed: Changed
    ) -> Outcome:
        """Through the gate of its server and back, under the caller's names.

        Raises what `Gate.admit` does.
        """
        server, session, front = asking.server, asking.session, guest.front
        request, token = asking.request, _token(asking.request)
        saying = Saying(stream, guest, server.name, changed, token or b"")
        relay = Relay(saying, self.talk, server, guest.caller.id, session)
        relay.scopes, relay.request = guest.caller.scopes, request
        if front is not None:
            relay.about = about(request)
            front.sent[request.id] = server.name
            if token is not None:
                front.tokens[token] = server.name
        try:
            if front is not None:
                await self._tell_level(guest, front, server)
            outcome = await self.gate.admit(asking, relay)
        except Detached:
            if front is not None:
                front.left(request.id)
            raise
        finally:
            if front is not None:
                front.sent.pop(request.id, None)
                if token is not None and request.id not in front.detached:
                    front.tokens.pop(token, None)
        return _ours(asking, outcome)

    async def _tell_level(self, guest: Guest, front: Front, server: Server) -> None:
        """A server hears of the level when it is first called: a call like any other."""
        if front.level is None or server.name in front.told:
            return
        front.told.add(server.name)
        own = guest.own(self.gate.ids(), "logging/setLevel", {"level": front.level})
        session = self.fronts.member(front, server)
        relay = Relay(Silent(), self.talk, server, guest.caller.id, session)
        try:
            await self.gate.admit(guest.asking(own, server, session), relay)
        except (CallerError, UpstreamError):
            front.told.discard(server.name)

    async def set_level(self, guest: Guest, front: Front, request: Request) -> bytes:
        """Remember the level; servers in use hear of it now, the others when they are called.

        Raises CallerError.
        """
        level = request.params.get("level")
        if level not in LEVELS:
            text = f"params.level must be one of {', '.join(LEVELS)}"
            raise CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id)
        front.level = str(level)
        front.told.clear()
        for server in guest.servers(self.rules(), self.gate.clock()):
            if server.name in front.members:
                await self._tell_level(guest, front, server)
        await note(self.gate, guest, request.method)
        return b"{}"

    # -- what is answered here -----------------------------------------------------------------

    async def listed(self, guest: Guest, request: Request) -> bytes:
        """The result of a list. Raises CallerError, LedgerError."""
        rules = self.rules()
        servers = guest.servers(rules, self.gate.clock())
        if all(self.shelf.trouble(guest, server) is not None for server in servers):
            await note(self.gate, guest, request.method)  # else no server's record would say it
        return await self.lists.page(guest, servers, request, rules.aggregate)

    async def hello(self, guest: Guest, request: Request) -> bytes:
        """The result of `initialize` or `server/discover`. Raises LedgerError."""
        rules = self.rules()
        servers = guest.servers(rules, self.gate.clock())
        result = await self.hellos.answer(guest, servers, request, rules.aggregate.deadline)
        await note(self.gate, guest, request.method)
        return result

    # -- the house -----------------------------------------------------------------------------

    def _repinned(self, server: str) -> None:
        """Tools of a server are pinned otherwise now, which its own list may not show."""
        self.shelf.changed(server, TOOLS)
        for front in self.fronts.all():
            front.changed(server, TOOLS)
        for following in self.following:
            following.changed(server, TOOLS)

    def forget(self) -> None:
        """Other rules are in force."""
        self.shelf.clear()
        self.lists.clear()
        self.hellos.clear()
        for front in self.fronts.all():
            for stream in front.streams[:1]:
                stream.reruled()
        for following in list(self.following):
            following.reruled()

    async def close(self) -> None:
        await self.lists.close()
        await self.hellos.close()
        await self.finding.close()


def _token(request: Request) -> bytes | None:
    """JSON text of the progress token of a request."""
    meta = request.params.get("_meta")
    token = meta.get("progressToken") if isinstance(meta, dict) else None
    return encode(token) if isinstance(token, str | int) else None


def _ours(asking: Asking, outcome: Outcome) -> Outcome:
    """The end of a call, under the names its things have here."""
    if not isinstance(outcome, Answered | Held):
        return outcome
    answer, server = outcome.answer, asking.server.name
    try:
        if answer.result is not None:
            result = rewriting.result(server, answer.result)
            changed = msgspec.structs.replace(answer, result=result)
        elif asking.request.method == COMPLETION and _unknown_method(answer.error):
            more = {"resultType": "complete"} if asking.era is Era.MODERN else {}
            changed = Answer(result=encode({**NO_VALUES, **more}))
        else:
            error = rewriting.error(server, answer.error or b"{}")
            changed = msgspec.structs.replace(answer, error=error)
    except UNREADABLE:
        return outcome  # what cannot be read has no names in it
    return msgspec.structs.replace(outcome, answer=changed)


def _unknown_method(error: bytes | None) -> bool:
    loose = decode(error or b"{}")
    return isinstance(loose, dict) and loose.get("code") == codes.METHOD_NOT_FOUND
