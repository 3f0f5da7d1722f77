"""One server's whole list, page by page through the gate, for a caller of many servers."""

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import msgspec
import structlog

from torhaus.audit.shape import record
from torhaus.cache.hints import hint
from torhaus.gate import calls
from torhaus.gate.aggregate import names
from torhaus.gate.aggregate.fronts import Fronts
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.rewriting import ITEMS, UNREADABLE, Item
from torhaus.gate.aggregate.shelf import Share, Shelf
from torhaus.gate.calls import Deaf
from torhaus.gate.gate import Gate
from torhaus.gate.lists import shown
from torhaus.gate.relay import Relay
from torhaus.gate.talk import Talk
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError
from torhaus.mcp.methods import LISTS
from torhaus.model.call import Call
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Held,
    Limited,
    Outcome,
    Refused,
    Served,
)
from torhaus.model.ports import Detached
from torhaus.model.servers import Server
from torhaus.model.verdict import Allow

log = structlog.get_logger()

CALLED = ("tools/list", "prompts/list")
"""Lists whose items are known by their names."""
MAX_LONG = 1000
MAX_NAME = 200
MAX_PAGES = 50
MAX_ITEMS = 10_000
MAX_OCTETS = 16 << 20


class Unavailable(Exception):  # noqa: N818 -- an expected end of one part, not a fault
    """The server's part is missing. The text is a sentence for people."""


class Silent(Deaf):
    """The caller's end of a stream on which nothing is for him."""

    def tie(self) -> None:
        """There is nobody to tie it to."""

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        """Nobody listens."""


@dataclass(slots=True, kw_only=True)
class Draining:
    """Owned by one event loop.

    `long`: names that were found too long for some models. `twice`: servers that listed a name
    more than once. `said`: what else the log has.
    """

    gate: Gate
    talk: Talk
    fronts: Fronts
    shelf: Shelf
    long: set[str] = field(default_factory=set)
    twice: set[str] = field(default_factory=set)
    said: set[tuple[str, ...]] = field(default_factory=set)

    async def drain(self, guest: Guest, server: Server, method: str, fresh: float) -> Share:
        """All items as this caller may see them, kept for the next time.

        Each page is a call of its own: decided, recorded. Raises Unavailable, LedgerError.
        """
        turn, began = self.shelf.turn(server.name, method), self.gate.clock()
        items: list[Item] = []
        told, cursor, octets = float("inf"), None, 0
        for _ in range(MAX_PAGES):
            result = await self._page(guest, server, method, cursor)
            if result is None:
                break
            try:
                found, cursor = _items(guest, server, method, result)
            except (*UNREADABLE, TypeError) as error:
                raise Unavailable("its list cannot be read") from error
            items += found
            octets += sum(len(item.text) for item in found)
            told = min(told, began + hint(result).seconds)
            if cursor is None or len(items) >= MAX_ITEMS or octets >= MAX_OCTETS:
                break
        if cursor is not None:
            self._say_once("aggregate.list_cut", server.name, method)
        if method in CALLED:
            items = self._once(server, items)
        share = self._share(guest, server, items[:MAX_ITEMS], began, told, fresh)
        self.shelf.keep(guest, server, method, share, turn)
        if method == "tools/list":
            self._doubt_long(guest, server, items)
            self._doubt_absent(guest, server)
        return share

    def known(self, guest: Guest, server: Server, method: str) -> Share | None:
        """What is known of a list that its server has not sent: decided by whoever shows it.

        Of tools it is what was accepted of each, as this caller may see it; none that was changed.
        """
        if method != "tools/list":
            return self.shelf.last(guest, server, method)
        gate, now = self.gate, self.gate.clock()
        accepted = gate.catalogue.accepted(server)
        if accepted is None:
            return None
        own = shown(method, accepted, guest.caller, server, now)
        items, _ = _items(guest, server, method, own)
        return self._share(guest, server, items, now, now, 0.0)

    def _once(self, server: Server, items: list[Item]) -> list[Item]:
        """Of several items with one name the first: a call of the name cannot mean the others."""
        kept = {item.name: item for item in reversed(items)}
        if len(kept) == len(items):
            return items
        if server.name not in self.twice:
            self.twice.add(server.name)
            log.warning("aggregate.name_twice", server=server.name, items=len(items) - len(kept))
        return [item for item in items if kept[item.name] is item]

    def _doubt_long(self, guest: Guest, server: Server, items: list[Item]) -> None:
        """Say once, in the log, which names some models refuse (they take 64 characters)."""
        prefix = self.gate.patience.rules().aggregate.prefix
        for item in items:
            name = names.tool_out(guest.view, server.name, item.name)
            if names.too_long(name, prefix) and name not in self.long and len(self.long) < MAX_LONG:
                self.long.add(name)
                length = len(prefix) + len(name)
                log.warning("aggregate.name_long", tool=name[:MAX_NAME], length=length)

    def _doubt_absent(self, guest: Guest, server: Server) -> None:
        """Say once, in the log, what the configuration names and its server does not list."""
        listed = self.gate.catalogue.items(server.name)
        if listed and not server.personal:  # of other accounts, others may be listed
            for tool in names.absent(guest.view, server.name, listed):
                self._say_once("aggregate.name_absent", server.name, tool, view=guest.view.name)

    def _say_once(self, event: str, server: str, what: str, **more: str) -> None:
        key = (event, server, what, *more.values())
        if key not in self.said and len(self.said) < MAX_LONG:
            self.said.add(key)
            log.warning(event, server=server, name=what[:MAX_NAME], **more)

    def _share(
        self,
        guest: Guest,
        server: Server,
        items: list[Item],
        began: float,
        told: float,
        fresh: float,
    ) -> Share:
        phase, said = guest.caller.phase(began), began < told < float("inf")
        until = min(told if said else began + fresh, phase.ends)
        digest = sha256(b"\0".join(item.text for item in items)).digest()
        return Share(
            items=self.shelf.same(digest, tuple(items)),
            caller=guest.caller,
            phase=phase,
            server=server,
            view=guest.view,
            stored=began,
            until=until,
            told=min(told, phase.ends) if said else began,
            digest=digest,
        )

    async def _page(
        self, guest: Guest, server: Server, method: str, cursor: str | None
    ) -> bytes | None:
        """One page; None where the server has no such list. Raises Unavailable, LedgerError."""
        params: dict[str, Any] = {} if cursor is None else {"cursor": cursor}
        request = guest.own(self.gate.ids(), method, params)
        session = guest.session(self.fronts, server)
        asking = guest.asking(request, server, session)
        relay = Relay(Silent(), self.talk, server, guest.caller.id, session)
        try:
            outcome = await self.gate.admit(asking, relay)
        except (CallerError, Detached) as error:
            raise Unavailable(str(error)) from error
        if not isinstance(outcome, Answered):
            raise Unavailable(_why(server, outcome))
        answer = outcome.answer
        if answer.result is None:
            _check_listless(server, answer)
        return answer.result

    def again(self, guest: Guest, server: Server, method: str, share: Share) -> "Noted | None":
        """What was listed a moment ago is asked for again: decided and recorded like any call.

        None: it has to go the long way. Raises LedgerError.
        """
        gate = self.gate
        gate.intents.possible()
        now, started = gate.clock(), gate.stopwatch()
        call, verdict = self._judged(guest, server, method, now)
        if verdict is None:
            return None
        outcome = Answered(
            verdict,
            Answer(),
            cached=True,
            age=now - share.stored,
            cacheable=True,
            items=len(share.items),
            served=Served.HIT,
        )
        seconds = gate.stopwatch() - started
        entry = record(call, outcome, now, seconds)
        gate.meter.ended(call, outcome, entry.result.status, seconds)
        return Noted(gate.ledger.note(entry))

    def still(self, guest: Guest, server: Server, method: str) -> "Noted | None":
        """The same for a look of our own, which leaves its own record: decided all the same."""
        _, verdict = self._judged(guest, server, method, self.gate.clock())
        return None if verdict is None else Noted(None)

    def _judged(
        self, guest: Guest, server: Server, method: str, now: float
    ) -> tuple[Call, Allow | None]:
        """None: not as it was, or not at all."""
        request = guest.own("", method, {})
        asking = guest.asking(request, server, guest.session(self.fronts, server))
        call = calls.build(asking, self.gate.ids(), calls.NO_HINTS)
        verdict = self.gate.verdicts.decide(call, now)
        plain = isinstance(verdict, Allow) and verdict.redact is None
        return call, verdict if plain and isinstance(verdict, Allow) else None


class Noted(msgspec.Struct, frozen=True, gc=False):
    """`kept`: what to await before the answer leaves, if anything."""

    kept: Any


def _items(
    guest: Guest, server: Server, method: str, result: bytes
) -> tuple[list[Item], str | None]:
    """The items of one page, and where the next one begins. Raises one of UNREADABLE."""
    loose = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    listed = msgspec.json.decode(loose.get(LISTS[method], b""), type=list[msgspec.Raw])
    make = ITEMS[method]
    made = (make(guest.view, server.name, each) for each in listed)
    cursor = msgspec.json.decode(loose.get("nextCursor", b"null"), type=str | None)
    return [item for item in made if item is not None], cursor


def _check_listless(server: Server, answer: Answer) -> None:
    """A server without such things says that it knows no such method. Raises Unavailable."""
    try:
        error = msgspec.json.decode(answer.error or b"{}")
    except UNREADABLE as unreadable:
        raise Unavailable(f"{server.name} answers with an error") from unreadable
    if isinstance(error, dict) and error.get("code") == codes.METHOD_NOT_FOUND:
        return
    said = error.get("message") if isinstance(error, dict) else None
    words = f": {said[:200]}" if isinstance(said, str) else ""
    raise Unavailable(f"{server.name} answers with an error{words}")


def _why(server: Server, outcome: Outcome) -> str:
    match outcome:
        case Failed(reason=reason):
            return reason
        case Refused(verdict=verdict):
            return verdict.reason
        case Limited():
            return outcome.text or f"{server.name} has had as many calls as it may have"
        case Held(verdict=verdict):
            return verdict.reason
        case Answered() | Abandoned():
            return f"{server.name} did not answer"
