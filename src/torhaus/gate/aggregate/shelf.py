"""What each server listed a moment ago, as its callers saw it, and which servers were down."""

from collections.abc import Callable

import msgspec

from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.rewriting import Item
from torhaus.gate.hinted import CHANGES
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import Server
from torhaus.model.views import View

MOST = 4096
"""Lists that are remembered."""
MAX_ITEMS = 512
"""Different lists of which equal ones are one."""
DOWN = 10.0
"""Seconds for which nobody waits again for a server that did not list in time."""

Key = tuple[str, ...]


class Share(msgspec.Struct, frozen=True, eq=False):
    """One server's part of a list. It is good for the very caller, server and view it was made for.

    `stored`, `until`: Unix seconds. `told`: until when the server itself said that it holds.
    `digest`: of the items.
    """

    items: tuple[Item, ...]
    caller: Principal
    phase: Phase
    server: Server
    view: View
    stored: float
    until: float
    told: float
    digest: bytes


class Shelf:
    """Owned by one event loop. `clock`: Unix seconds."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._shares: dict[Key, Share] = {}
        self._down: dict[tuple[str, str], tuple[float, str]] = {}
        self._slow: set[tuple[str, str]] = set()
        self._last: dict[Key, Share] = {}
        self._turns: dict[tuple[str, str], int] = {}
        self._items: dict[bytes, tuple[Item, ...]] = {}

    def find(self, guest: Guest, server: Server, method: str) -> Share | None:
        """What is fresh, and would be just so today."""
        share = self._shares.get(key_of(guest, server, method))
        now = self._clock()
        if share is None or share.until <= now:
            return None
        same = share.caller is guest.caller and share.server is server and share.view is guest.view
        return share if same and share.phase is guest.caller.phase(now) else None

    def last(self, guest: Guest, server: Server, method: str) -> Share | None:
        """What this caller listed last, in whichever session, if he would be shown it today."""
        share = self._last.get((guest.caller.id, server.name, method, guest.view.name))
        if share is None or share.server is not server or share.view is not guest.view:
            return None
        same = share.caller is guest.caller and share.phase is guest.caller.phase(self._clock())
        return share if same else None

    def same(self, digest: bytes, items: tuple[Item, ...]) -> tuple[Item, ...]:
        """The items as they are known already: equal lists of many sessions are kept once."""
        known = self._items.get(digest)
        if known is not None:
            return known
        if len(self._items) >= MAX_ITEMS:
            del self._items[next(iter(self._items))]
        self._items[digest] = items
        return items

    def turn(self, server: str, method: str) -> int:
        """Where a server's list stood before it was asked for."""
        return self._turns.get((server, method), 0)

    def keep(self, guest: Guest, server: Server, method: str, share: Share, turn: int) -> None:
        """Keep what was fetched at `turn`, unless it changed meanwhile."""
        self._down.pop((guest.caller.id, server.name), None)
        self._slow.discard((guest.caller.id, server.name))
        if turn != self.turn(server.name, method):
            return
        if len(self._shares) >= MOST:
            now = self._clock()
            self._shares = {k: each for k, each in self._shares.items() if each.until > now}
        if len(self._shares) >= MOST:
            self._shares.clear()
        self._shares[key_of(guest, server, method)] = share
        if len(self._last) >= MOST:
            del self._last[next(iter(self._last))]
        self._last[guest.caller.id, server.name, method, guest.view.name] = share

    def changed(self, server: str, notice: str) -> None:
        """The server has said that a list of its is another one now."""
        for method in CHANGES.get(notice, ()):
            self._turns[server, method] = self.turn(server, method) + 1
            gone = [key for key in self._shares if key[1] == server and key[2] == method]
            for key in gone:
                del self._shares[key]
            for key in [key for key in self._last if key[1:3] == (server, method)]:
                del self._last[key]

    def down(self, guest: Guest, server: Server, why: str) -> None:
        """It did not list. What one caller met says nothing about the others."""
        if len(self._down) >= MOST:
            self._down.clear()
        self._slow.discard((guest.caller.id, server.name))
        self._down[guest.caller.id, server.name] = (self._clock() + DOWN, why)

    def late(self, guest: Guest, server: Server, why: str) -> None:
        """It has not listed yet, and may only be slow."""
        self.down(guest, server, why)
        if len(self._slow) >= MOST:
            self._slow.clear()
        self._slow.add((guest.caller.id, server.name))

    def slow(self, guest: Guest, server: Server) -> bool:
        """Whether its trouble is only that it is late."""
        return (guest.caller.id, server.name) in self._slow

    def trouble(self, guest: Guest, server: Server) -> str | None:
        """Why nobody need wait for the server just now."""
        until, why = self._down.get((guest.caller.id, server.name), (0.0, ""))
        return why if until > self._clock() else None

    def clear(self) -> None:
        """Other rules are in force."""
        self._shares.clear()
        self._down.clear()
        self._slow.clear()
        self._last.clear()
        self._items.clear()


def key_of(guest: Guest, server: Server, method: str) -> Key:
    """Servers may list otherwise in another session, and policies for another client."""
    where = guest.client if guest.front is None else guest.front.session.jti
    return (guest.caller.id, server.name, method, where, guest.view.name)
