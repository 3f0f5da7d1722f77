"""Sessions of legacy clients with many servers: one in front, one behind for each server in use."""

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Protocol

import msgspec

from torhaus.gate.gate import Gate
from torhaus.mcp.extensions import in_front_of_many
from torhaus.mcp.inputs import known_to
from torhaus.mcp.message import encode
from torhaus.model.rules import Rules
from torhaus.model.servers import Server
from torhaus.model.session import Session

MANY = "*"
"""Before the name of a view, in what is bound to one; no server's name has it."""
MAX_DETACHED = 256

_decode = msgspec.json.decode


class Listens(Protocol):
    """A listening stream of the client."""

    def changed(self, server: str, notice: str) -> None:
        """A server says that a list of its has changed."""
        ...

    def lacks(self, server: str, method: str) -> None:
        """A list was shown without a server's part: say so once there is one."""
        ...

    def recheck(self) -> None:
        """Stop listening to servers that the caller may not listen to, and hear others again."""
        ...

    def reruled(self) -> None:
        """Other rules are in force: the caller may see other things now."""
        ...


@dataclass(slots=True, eq=False)
class Front:
    """A client's session. `members`: server -> the session with it, opened by its first request.

    `sent`: JSON text of a request's id -> the server it went to, while it is under way there.
    `detached`: the same, of requests whose answers come on resumed streams. `level`: what is to be
    logged; `told`: servers that know it. `tokens`: JSON text of a progress token -> the server
    whose call it belongs to. `shown`: (server, list method) -> digest of the list last shown.
    `absent`: those that had no part in the list last shown, because they did not answer.
    `opens` is called with a server's name when its session is made. `streams`: open listening
    streams; `resumed`: those that go on with what one server had begun to say.
    """

    session: Session
    members: dict[str, Session] = field(default_factory=dict)
    sent: dict[bytes, str] = field(default_factory=dict)
    detached: dict[bytes, str] = field(default_factory=dict)
    level: str | None = None
    told: set[str] = field(default_factory=set)
    tokens: dict[bytes, str] = field(default_factory=dict)
    shown: dict[tuple[str, str], bytes] = field(default_factory=dict)
    absent: set[tuple[str, str]] = field(default_factory=set)
    opens: list[Callable[[str], None]] = field(default_factory=list)
    streams: list["Listens"] = field(default_factory=list)
    resumed: list["Listens"] = field(default_factory=list)

    def changed(self, server: str, notice: str) -> None:
        """Say on the first open stream that a list has changed; one message goes to one stream."""
        for stream in self.streams[:1]:
            stream.changed(server, notice)

    def lacks(self, server: str, method: str) -> None:
        """A list was shown without its part; the first open stream says when it is there."""
        self.absent.add((server, method))
        for stream in self.streams[:1]:
            stream.lacks(server, method)

    def recheck(self) -> None:
        """Rights may have gone: no stream goes on hearing a server that is not the caller's."""
        for stream in (*self.streams, *self.resumed):
            stream.recheck()

    def left(self, request_id: bytes) -> None:
        """The answer to a request may come on a stream that the client resumes."""
        server = self.sent.get(request_id)
        if server is not None:
            self.missed(request_id, server)

    def missed(self, request_id: bytes, server: str) -> None:
        """The client hung up before the answer of this server, and may fetch it yet."""
        self.detached[request_id] = server
        if len(self.detached) > MAX_DETACHED:
            del self.detached[next(iter(self.detached))]


class Fronts:
    """Owned by one event loop."""

    def __init__(self, gate: Gate, rules: Callable[[], Rules]) -> None:
        self._gate = gate
        self._rules = rules
        self._open: dict[str, Front] = {}

    def __len__(self) -> int:
        return len(self._open)

    def of(self, session: Session) -> Front:
        """What belongs to a session; after a restart, nothing yet."""
        front = self._open.get(session.jti)
        if front is None:
            front = self._open[session.jti] = Front(session)
        front.session = session
        return front

    def member(self, front: Front, server: Server) -> Session:
        """The session with one server, which its first request opens.

        Ids sealed in it are bound to the server, the caller and the client's session, so they
        outlive a restart and open nowhere else.
        """
        found = front.members.get(server.name)
        if found is None:
            found = front.members[server.name] = _member(front.session, server)
            for opened in list(front.opens):
                opened(server.name)
        return found

    def peek(self, front: Front, server: Server) -> Session:
        """The same, without making one that is not needed yet."""
        return front.members.get(server.name) or _member(front.session, server)

    def all(self) -> Iterator[Front]:
        return iter(list(self._open.values()))

    async def end(self, session: Session) -> None:
        """The client's session is over, and with it those behind it."""
        front = self._open.pop(session.jti, None)
        for cancel in list(session.running.values()):
            cancel()
        if front is None:
            return
        servers = self._rules().servers
        closing = []
        for name, member in front.members.items():
            member.closed = True
            self._gate.abandon(member)
            if name in servers:
                closing.append(self._gate.upstreams.link(servers[name]).close(member))
        await asyncio.gather(*closing)


def _member(session: Session, server: Server) -> Session:
    """Its name follows from the client's session and the server, so it is the same one always."""
    return Session(
        token="",  # nobody outside ever names it
        jti=sha256(f"{session.jti} {server.name}".encode()).hexdigest()[:32],
        server=server.name,
        principal=session.principal,
        version=session.version,
        capabilities=_declared(session.capabilities, server.asks_among),
        client_info=session.client_info,
        client=session.client,
        created=session.created,
        expires=session.expires,
        unopened=True,
    )


def _declared(capabilities: bytes, asks: tuple[str, ...]) -> bytes:
    """What a client can do, as far as it can do it through here and its server may ask it."""
    able = _decode(capabilities or b"{}")
    kept = known_to(in_front_of_many(able, legacy=True), asks)
    return capabilities if kept == able else encode(kept)
