"""What an upstream says while a request is under way, on its way to the caller."""

from collections.abc import Callable, Mapping
from typing import Protocol

import msgspec

from torhaus.gate.replays import About, about
from torhaus.mcp.hearing import Stateless
from torhaus.mcp.message import Request, encode, notification_text, read_incoming, request_text
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.access import Permission
from torhaus.model.ports import Notice
from torhaus.model.servers import Server
from torhaus.model.session import Session
from torhaus.model.task import Task

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


class Event(msgspec.Struct, frozen=True, array_like=True):
    """`id`: the server's own. `request`: see `Seals.event`."""

    id: str
    request: About | None = None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(Event).decode


class Seals:
    """Seals and opens the ids that cross the gate in one session."""

    __slots__ = ("_clock", "_events", "_requests", "_sealer")

    def __init__(self, sealer: Sealer, session: Session, clock: Callable[[], float]) -> None:
        self._sealer = sealer
        self._clock = clock
        where = (session.server, session.principal, session.jti)
        self._events = binding("event", *where)
        self._requests = binding("request", *where)

    def event(self, inner: str | None, request: About | None = None) -> str | None:
        """`request`: whose stream the event is on; None for the session's own."""
        if inner is None:
            return None
        until = self._clock() + EVENT_LIFETIME
        return self._sealer.seal(_encode(Event(inner, request)), self._events, until)

    def open_event(self, token: str) -> Event:
        """Raises SealError."""
        text = self._sealer.unseal(token, self._events, self._clock())
        try:
            return _decode(text)
        except msgspec.MsgspecError as error:
            raise SealError("of an older version") from error

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
    `about`: the request that it belongs to, where a stream of its can be resumed; `request`: the
    same, for the first notice to say what it is. `scopes`: what the credential of its caller is
    held to; None where it is to nothing. `tasks`: those whose news it carries, by the ids they have
    at the server; None for a stream that nobody named any for.
    """

    __slots__ = (
        "_about",
        "_asked",
        "_front",
        "_made",
        "_owner",
        "_wants",
        "principal",
        "request",
        "scopes",
        "server",
        "session",
        "tasks",
    )

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
        self.request: Request | None = None
        self._about: About | None = None
        self._wants: Stateless | None = None
        self.scopes: tuple[Permission, ...] | None = None
        self.tasks: Mapping[str, Task] | None = None

    @property
    def about(self) -> About | None:
        if self._about is None and self.request is not None:
            self._about = about(self.request)
        return self._about

    @about.setter
    def about(self, request: About | None) -> None:
        self._about, self.request = request, None

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
        event_id = None if seals is None else seals.event(notice.event_id, self.about)
        if not notice.body:
            if seals is not None:
                self._front.event(b"", event_id, notice.retry)
        elif notice.method is not None and notice.id is None:
            if self.session is None and not self._asked_for(notice.method, notice.body):
                return
            off = notice.method == CANCELLED and self._asked
            body = self._called_off(notice.body) if off else notice.body
            self._front.event(body, event_id, notice.retry)
        elif notice.method is not None and notice.id is not None and seals is not None:
            self._front.event(self._renamed(notice, notice.id, seals), event_id, notice.retry)
        elif notice.method is None and seals is not None:
            # An answer on a resumed stream; the id is the client's own.
            self._front.event(notice.body, event_id, notice.retry)

    def _asked_for(self, method: str, body: bytes) -> bool:
        """Whether the caller of a stateless request wants to hear this of it."""
        if self._wants is None:
            if self.request is None:
                return True  # it belongs to no request: a stream of news
            self._wants = Stateless(self.request)
        return self._wants.passes(method, body)

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
