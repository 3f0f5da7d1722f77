"""Lists of many servers in one: asked for at once, until a deadline, and served in pages."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import TypeVar

import msgspec

from torhaus.gate.aggregate.draining import Draining, Noted, Unavailable
from torhaus.gate.aggregate.fronts import MANY
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.shelf import Key, Share, key_of
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.methods import LISTS
from torhaus.mcp.seal import SealError, binding
from torhaus.model.access import Permission
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import Era, Server
from torhaus.model.views import Aggregation, View

KEPT_FOR = 600.0
"""Seconds for which somebody may go on with the pages of a list."""
MAX_WHOLES = 64
"""Whole lists that are remembered, of a thousand tools 0.7 MB each."""
MAX_SHOWN = 8192
"""Lists of which is remembered what they showed: four for each client that listens."""

UNAVAILABLE = "torhaus/unavailable"
AS_KNOWN = "what was known of it is listed"
Again = Callable[[Guest, Server, str, Share], Noted | None]
"""Whether what was listed a moment ago may be shown once more."""


class Whole(msgspec.Struct, frozen=True, eq=False):
    """A whole list for one caller. `first`: JSON text of its first page's items.

    `missing`: server -> why it has no part in it, or one from before. `told`: until when it holds,
    in Unix seconds.
    """

    shares: tuple[Share, ...]
    texts: tuple[bytes, ...]
    first: bytes
    digest: bytes
    missing: dict[str, str]
    caller: Principal
    phase: Phase
    view: View
    told: float


@dataclass(slots=True, kw_only=True)
class Lists:
    """Owned by one event loop."""

    draining: Draining
    _flights: dict["Flight", "asyncio.Task[Share]"] = field(default_factory=dict)
    _last: dict[tuple[str, ...], Whole] = field(default_factory=dict)
    _wholes: dict[tuple[str, str, bytes], Whole] = field(default_factory=dict)
    _shown: dict[tuple[str, ...], "Shown"] = field(default_factory=dict)

    async def page(
        self, guest: Guest, servers: list[Server], request: Request, told: Aggregation
    ) -> bytes:
        """The result of one list request. Raises CallerError for a cursor, LedgerError."""
        method = request.method
        if "cursor" in request.params:
            whole, start = self._continued(guest, request)
            kept = self._noted(guest, method, whole)
        else:
            whole, kept = await self._whole(guest, servers, method, told)
            start = 0
        for each in kept:
            await each
        return self._result(guest, method, whole, start, told.page)

    # -- the whole list ------------------------------------------------------------------------

    async def _whole(
        self, guest: Guest, servers: list[Server], method: str, told: Aggregation
    ) -> tuple[Whole, list[Awaitable[None]]]:
        again = self.draining.again
        parts, absent, kept = await self._gathered(guest, servers, method, told, again)
        return self._put(guest, method, parts, absent, told.page), kept

    async def seen(
        self, guest: Guest, servers: list[Server], method: str, told: Aggregation
    ) -> tuple[tuple[Share, ...], dict[str, str]]:
        """What the list would hold, and which servers would be missing, for our own use.

        It is decided like the list; whoever uses it leaves the record. Raises LedgerError.
        """

        def still(guest: Guest, server: Server, method: str, _: Share) -> Noted | None:
            return self.draining.still(guest, server, method)

        parts, absent, _ = await self._gathered(guest, servers, method, told, still)
        return parts, absent

    async def _gathered(
        self, guest: Guest, servers: list[Server], method: str, told: Aggregation, again: Again
    ) -> tuple[tuple[Share, ...], dict[str, str], list[Awaitable[None]]]:
        shelf = self.draining.shelf
        shares: dict[str, Share] = {}
        missing: dict[str, str] = {}
        flights: dict[str, asyncio.Task[Share]] = {}
        kept: list[Awaitable[None] | None] = []
        for server in servers:
            share = shelf.find(guest, server, method)
            noted = None if share is None else again(guest, server, method, share)
            if share is not None and noted is not None:
                shares[server.name] = share
                kept.append(noted.kept)
                continue
            trouble = shelf.trouble(guest, server)
            if trouble is not None:
                missing[server.name] = trouble
            else:
                flights[server.name] = self._flight(guest, server, method, told.fresh)
        if flights:
            await asyncio.wait(flights.values(), timeout=told.deadline)
        named = {server.name: server for server in servers}
        for name, flight in flights.items():
            found = self._landed(guest, named[name], flight, told.deadline)
            if isinstance(found, Share):
                shares[name] = found
            else:
                missing[name] = found
        for name in missing:
            share = self._known(guest, named[name], method)
            noted = None if share is None else again(guest, named[name], method, share)
            if share is not None and noted is not None:
                shares[name], missing[name] = share, f"{missing[name]}: {AS_KNOWN}"
                kept.append(noted.kept)
        parts = tuple(shares[server.name] for server in servers if server.name in shares)
        # In the configuration's order again, so that equal lists are equal.
        absent = {server.name: missing[server.name] for server in servers if server.name in missing}
        return parts, absent, [each for each in kept if each is not None]

    def _known(self, guest: Guest, server: Server, method: str) -> Share | None:
        """The part of a server that is only late; its own list follows when it comes."""
        if not self.draining.shelf.slow(guest, server):
            return None
        return self.draining.known(guest, server, method)

    def _landed(
        self, guest: Guest, server: Server, flight: "asyncio.Task[Share]", deadline: float
    ) -> Share | str:
        """Its part of the list, or why it has none. Raises LedgerError."""
        shelf = self.draining.shelf
        if not flight.done():
            why = f"{server.name} did not answer within {deadline:g} s"
            shelf.late(guest, server, why)
            return why
        try:
            return flight.result()
        except Unavailable as error:
            why = str(error)
        except asyncio.CancelledError:
            why = f"{server.name} did not answer"
        shelf.down(guest, server, why)
        return why

    def _flight(
        self, guest: Guest, server: Server, method: str, fresh: float
    ) -> "asyncio.Task[Share]":
        """The list under way. It goes on beyond the deadline, so that the next one may have it.

        That is the next one under the same rules: others may show the caller less.
        """
        key = _flight_of(guest, server, method, self.draining.gate.clock())
        task = self._flights.get(key)
        if task is None:
            work = self.draining.drain(guest, server, method, fresh)
            task = self._flights[key] = asyncio.get_running_loop().create_task(work)
            task.add_done_callback(lambda task: self._ended(key, task))
        return task

    def _ended(self, key: "Flight", task: "asyncio.Task[Share]") -> None:
        self._flights.pop(key, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def fetch(self, guest: Guest, server: Server, method: str, told: Aggregation) -> Share:
        """One server's part, fetched now. Raises Unavailable, LedgerError."""
        flight = self._flight(guest, server, method, told.fresh)
        return await asyncio.shield(flight)

    def last(self, guest: Guest, server: Server, method: str) -> bytes | None:
        """Digest of what this client was last shown of a server, as far as that is known."""
        shown = self._shown.get((guest.caller.id, guest.view.name, method, _place(guest)))
        if shown is None or shown.scopes != guest.caller.scopes:
            return None  # another credential of his may show another list
        return shown.digests.get(server.name)

    def _put(
        self,
        guest: Guest,
        method: str,
        shares: tuple[Share, ...],
        missing: dict[str, str],
        page: int,
    ) -> Whole:
        clock = self.draining.gate.clock
        where = (guest.caller.id, guest.view.name, method, _place(guest))
        last, now = self._last.get(where), clock()
        digests = {share.server.name: share.digest for share in shares}
        _put(self._shown, where, Shown(guest.caller.scopes, digests), MAX_SHOWN)
        if last is not None and _same(last.shares, shares) and last.missing == missing:
            found = last
        else:
            texts = tuple(item.text for share in shares for item in share.items)
            digest = sha256(b"".join(share.digest for share in shares)).digest()[:16]
            found = Whole(
                shares=shares,
                texts=texts,
                first=_joined(texts[:page]),
                digest=digest,
                missing=missing,
                caller=guest.caller,
                phase=guest.caller.phase(now),
                view=guest.view,
                told=now if missing else min((each.told for each in shares), default=now),
            )
            _put(self._last, where, found)
        if len(found.texts) > page:
            _put(self._wholes, (guest.caller.id, method, found.digest), found)
        if guest.front is not None:
            for share in shares:
                guest.front.shown[share.server.name, method] = share.digest
                guest.front.absent.discard((share.server.name, method))
            for name in missing:
                guest.front.lacks(name, method)
        return found

    # -- pages ---------------------------------------------------------------------------------

    def _continued(self, guest: Guest, request: Request) -> tuple[Whole, int]:
        """The list a cursor goes on with, and where. Raises CallerError."""
        gate, cursor = self.draining.gate, request.params["cursor"]
        now = gate.clock()
        try:
            token = cursor if isinstance(cursor, str) else ""
            content = gate.sealer.unseal(token, _bound(guest, request.method), now)
        except SealError as error:
            raise _gone(request) from error
        digest, start = content[:16], int.from_bytes(content[16:], "big")
        whole = self._wholes.get((guest.caller.id, request.method, digest))
        if whole is None or whole.caller is not guest.caller or whole.view is not guest.view:
            raise _gone(request)
        if whole.phase is not guest.caller.phase(now):
            raise _gone(request)  # other rules are in force, which may show him less
        return whole, start

    def _noted(self, guest: Guest, method: str, whole: Whole) -> list[Awaitable[None]]:
        """A further page is asked of the same servers as the first. Raises CallerError."""
        kept = []
        for share in whole.shares:
            noted = self.draining.again(guest, share.server, method, share)
            if noted is None:
                text = f"{share.server.name} may not be listed any more: begin the list again"
                raise CallerError(codes.INVALID_PARAMS, text, status=200)
            if noted.kept is not None:
                kept.append(noted.kept)
        return kept

    def _result(self, guest: Guest, method: str, whole: Whole, start: int, page: int) -> bytes:
        end = start + page
        items = whole.first if start == 0 else _joined(whole.texts[start:end])
        members: dict[str, object] = {LISTS[method]: msgspec.Raw(items)}
        if end < len(whole.texts):
            gate = self.draining.gate
            content = whole.digest + end.to_bytes(4, "big")
            until = gate.clock() + KEPT_FOR
            members["nextCursor"] = gate.sealer.seal(content, _bound(guest, method), until)
        if guest.era is Era.MODERN:
            left = max(0.0, whole.told - self.draining.gate.clock())
            members |= {"resultType": "complete", "ttlMs": int(left * 1000)}
            members["cacheScope"] = "private"
        if whole.missing:
            members["_meta"] = {UNAVAILABLE: whole.missing}
        return encode(members)

    def clear(self) -> None:
        """Other rules are in force."""
        self._last.clear()
        self._wholes.clear()
        self._shown.clear()

    async def close(self) -> None:
        """End what is under way."""
        flights = list(self._flights.values())
        for task in flights:
            task.cancel()
        await asyncio.gather(*flights, return_exceptions=True)


class Shown(msgspec.Struct, frozen=True):
    """What a client was shown of each server, by digest: small, so that many are remembered."""

    scopes: tuple[Permission, ...] | None
    digests: dict[str, bytes]


Place = TypeVar("Place")
Kept = TypeVar("Kept")
Flight = tuple[Key, int, int, int, int]


def _flight_of(guest: Guest, server: Server, method: str, now: float) -> Flight:
    """Equal for the very caller, server and view alone.

    The flight holds them, so their ids are theirs while it is under way.
    """
    stands = id(guest.caller), id(guest.caller.phase(now)), id(server), id(guest.view)
    return (key_of(guest, server, method), *stands)


def _put(table: dict[Place, Kept], key: Place, kept: Kept, most: int = MAX_WHOLES) -> None:
    """The oldest makes room: whoever comes back for it begins his list again."""
    table.pop(key, None)
    if len(table) >= most:
        del table[next(iter(table))]
    table[key] = kept


def _joined(texts: tuple[bytes, ...]) -> bytes:
    return b"[" + b",".join(texts) + b"]"


def _same(some: tuple[Share, ...], others: tuple[Share, ...]) -> bool:
    return len(some) == len(others) and all(
        one is other for one, other in zip(some, others, strict=True)
    )


def _place(guest: Guest) -> str:
    return guest.client if guest.front is None else guest.front.session.jti


def _bound(guest: Guest, method: str) -> bytes:
    return binding("cursor", MANY + guest.view.name, guest.caller.id, method, _place(guest))


def _gone(request: Request) -> CallerError:
    text = "the cursor is not of a list that is still known: begin again without it"
    return CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id)
