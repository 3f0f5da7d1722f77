"""What the gateway itself has to say to those who listen: rights and pins change what is listed.

Servers know nothing of either. So lists that pass through the gateway can change although their
server never announces it, and whoever listens hears of that from here.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import msgspec

from torhaus.gate.hinted import CHANGES
from torhaus.gate.relay import Front
from torhaus.mcp.eras import CHANGED, PREFIX
from torhaus.mcp.message import encode, notification_text, read_incoming
from torhaus.model.access import Access
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.model.servers import Server

TOOLS = "notifications/tools/list_changed"
ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
SUBSCRIPTION = PREFIX + "subscriptionId"

Tell = Callable[[str], None]
"""Tells a client that a list has changed, by the name of the notification."""

Renewed = Callable[[Rules], Principal | None]
"""Who a caller is under other rules, with the scopes of what he came in with; None: nobody."""


@dataclass(slots=True, eq=False, kw_only=True)
class _Hearer:
    """One open stream on one server. `stands`: by what its caller's view is decided."""

    renewed: Renewed
    server: str
    tell: Tell
    stands: tuple[Server | None, Access | None] | None = None


@dataclass(slots=True, kw_only=True)
class News:
    """Owned by one event loop. `rules` returns the snapshot in force, `clock` Unix seconds.

    `pinned`: called with a server's name when its tools are pinned otherwise than before.
    """

    rules: Callable[[], Rules]
    clock: Callable[[], float]
    pinned: list[Callable[[str], None]] = field(default_factory=list)
    _hearers: set[_Hearer] = field(default_factory=set)

    @contextmanager
    def told(self, server: Server, renewed: Renewed, tell: Tell) -> Iterator[None]:
        """While this lasts, the caller is told what changes for him on the server."""
        hearer = _Hearer(renewed=renewed, server=server.name, tell=tell)
        hearer.stands = self._stands(hearer)
        self._hearers.add(hearer)
        try:
            yield
        finally:
            self._hearers.discard(hearer)

    def _stands(self, hearer: _Hearer) -> tuple[Server | None, Access | None]:
        rules = self.rules()
        caller = hearer.renewed(rules)
        access = None if caller is None else caller.phase(self.clock()).on(hearer.server)
        return rules.servers.get(hearer.server), access

    def look(self) -> None:
        """Other rules may be in force, or another time of day."""
        for hearer in list(self._hearers):
            stands = self._stands(hearer)
            if stands != hearer.stands and stands[1] is not None:  # else his stream ends
                hearer.stands = stands
                for notice in CHANGES:
                    hearer.tell(notice)

    def repinned(self, server: str) -> None:
        """Tools of this server are pinned otherwise now: accepted, refused, or found changed."""
        for heard in self.pinned:
            heard(server)
        for hearer in [each for each in self._hearers if each.server == server]:
            hearer.tell(TOOLS)


class Unasked:
    """The listening stream of a session, once it is open."""

    def __init__(self, front: Front) -> None:
        self._front = front
        self._open = False

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._front.throttle

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        self._front.throttle = change

    def opened(self) -> None:
        self._open = True
        self._front.opened()

    def tie(self) -> None:
        self._front.tie()

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        self._open = True
        self._front.event(data, event_id, retry)

    def tell(self, notice: str) -> None:
        if self._open:
            self._front.event(notification_text(notice, b""))


class Subscribed(Unasked):
    """The stream of a `subscriptions/listen`, which tells what was granted and nothing else."""

    def __init__(self, front: Front, request_id: bytes) -> None:
        super().__init__(front)
        self._id = request_id
        self._granted: frozenset[str] = frozenset()

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        if not self._open and ACKNOWLEDGED.encode() in data:
            self._open, self._granted = True, _granted(data)
        self._front.event(data, event_id, retry)

    def opened(self) -> None:
        self._front.opened()

    def tell(self, notice: str) -> None:
        kind = notice.split("/")[1]
        if self._open and CHANGED[kind] in self._granted:
            meta = {"_meta": {SUBSCRIPTION: msgspec.Raw(self._id)}}
            self._front.event(notification_text(notice, encode(meta)))


def _granted(data: bytes) -> frozenset[str]:
    """What of the filter the server has acknowledged."""
    try:
        params = read_incoming(data).params
        loose = msgspec.json.decode(params or b"{}")
        return frozenset(kind for kind, on in loose["notifications"].items() if on is True)
    except (msgspec.MsgspecError, RecursionError, KeyError, TypeError, AttributeError):
        return frozenset()
