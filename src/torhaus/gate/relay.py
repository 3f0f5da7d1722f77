"""What an upstream says while a request is under way, on its way to the caller."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from torhaus.mcp.message import encode, notification_text, read_incoming, request_text
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.ports import Notice
from torhaus.model.servers import Server
from torhaus.model.session import Session

EVENT_LIFETIME = 3600.0
REQUEST_LIFETIME = 86400.0
MAX_ASKED = 256
CANCELLED = "notifications/cancelled"


class Front(Protocol):
    """The caller's end of a stream. The first event commits the answer to being a stream."""

    throttle: Callable[[bool], None] | None

    def opened(self) -> None: ...

    def tie(self) -> None:
        """From now on the call ends when the caller hangs up."""
        ...

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None: ...


class Owner(Protocol):
    """What a relay asks about each notice."""

    def seals(self, session: Session) -> "Seals": ...

    def takes(self, notice: Notice, relay: "Relay") -> bool:
        """Whether the notice is the gate's own business and goes no further."""
        ...


class Seals:
    """Seals and opens the ids that cross the gate in one session."""

    __slots__ = ("_clock", "_events", "_requests", "_sealer")

    def __init__(self, sealer: Sealer, session: Session, clock: Callable[[], float]) -> None:
        self._sealer = sealer
        self._clock = clock
        where = (session.server, session.principal, session.jti)
        self._events = binding("event", *where)
        self._requests = binding("request", *where)

    def event(self, inner: str | None) -> str | None:
        if inner is None:
            return None
        until = self._clock() + EVENT_LIFETIME
        return self._sealer.seal(inner.encode(), self._events, until)

    def open_event(self, token: str) -> str:
        """Raises SealError."""
        return self._sealer.unseal(token, self._events, self._clock()).decode()

    def request(self, id_text: bytes) -> str:
        """The id under which a server's request reaches the client."""
        return "th." + self._sealer.seal(id_text, self._requests, self._clock() + REQUEST_LIFETIME)

    def open_request(self, front_id: str | int) -> bytes:
        """JSON text of the server's own id. Raises SealError."""
        if not isinstance(front_id, str) or not front_id.startswith("th."):
            raise SealError("not an id of ours")
        return self._sealer.unseal(front_id[3:], self._requests, self._clock())


class Relay:
    """The sink of one request. Passes notices on; its `owner` may take one first.

    `session` is None for a modern caller: its servers send no requests and no event ids. Most
    calls say nothing before their answer, so the seals are made when the first id crosses.
    """

    __slots__ = ("_asked", "_front", "_made", "_owner", "principal", "server", "session")

    def __init__(
        self, front: Front, owner: Owner, server: Server, principal: str, session: Session | None
    ) -> None:
        self._front = front
        self._owner = owner
        self._made: Seals | None = None
        self._asked: dict[bytes, str] = {}
        self.server = server
        self.principal = principal
        self.session = session

    @property
    def throttle(self) -> Callable[[bool], None] | None:
        return self._front.throttle

    @throttle.setter
    def throttle(self, change: Callable[[bool], None] | None) -> None:
        self._front.throttle = change

    def opened(self) -> None:
        self._front.opened()

    def notice(self, notice: Notice) -> None:
        if not self._owner.takes(notice, self):
            self.pass_on(notice)

    def pass_on(self, notice: Notice) -> None:
        """To the caller, with the ids that cross the gate sealed."""
        if notice.tied:
            self._front.tie()
        seals = self._made
        if seals is None and self.session is not None:
            seals = self._made = self._owner.seals(self.session)
        event_id = None if seals is None else seals.event(notice.event_id)
        if not notice.body:
            if seals is not None:
                self._front.event(b"", event_id, notice.retry)
        elif notice.method is not None and notice.id is None:
            off = notice.method == CANCELLED and self._asked
            body = self._called_off(notice.body) if off else notice.body
            self._front.event(body, event_id, notice.retry)
        elif notice.method is not None and notice.id is not None and seals is not None:
            self._front.event(self._renamed(notice, notice.id, seals), event_id, notice.retry)
        elif notice.method is None and seals is not None:
            # An answer on a resumed stream; the id is the client's own.
            self._front.event(notice.body, event_id, notice.retry)

    def _renamed(self, notice: Notice, inner: bytes, seals: Seals) -> bytes:
        message = read_incoming(notice.body)
        params = b"" if message.params is None else bytes(message.params)
        own = self._asked[inner] = seals.request(inner)
        if len(self._asked) > MAX_ASKED:
            del self._asked[next(iter(self._asked))]
        return request_text(encode(own), notice.method or "", params)

    def _called_off(self, body: bytes) -> bytes:
        """The server withdraws a request, which the caller knows by the id we gave it."""
        params = read_incoming(body).params
        try:
            loose = msgspec.json.decode(params or b"{}")
            own = self._asked.pop(encode(loose["requestId"]), None)
        except (msgspec.MsgspecError, UnicodeDecodeError, KeyError, TypeError):
            return body
        if own is None:
            return body
        return notification_text(CANCELLED, encode({**loose, "requestId": own}))
