"""The sessions of legacy clients: sealed ids outside, a table of live ones inside."""

from collections.abc import Callable
from uuid import UUID

import msgspec

from torhaus.gate.ended import Ended
from torhaus.mcp.clients import kept_name
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.session import Session

LIFETIME = 30 * 86400.0
"""Seconds a session id can be used: clients do not start anew by themselves when one ends."""

IDLE = 30 * 60.0
"""Seconds after which an unused session leaves the table; its id can still bring it back."""

MAX_KEPT = 1024
"""Bytes of capabilities and client info that a session id may carry. Ids travel in a header."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """What a client said in `initialize`, as JSON text, and the version that was agreed."""

    version: str
    capabilities: bytes
    client_info: bytes


class _Content(msgspec.Struct, frozen=True, array_like=True):
    jti: bytes
    version: str
    capabilities: bytes
    client_info: bytes
    created: int
    upstream_id: str | None


_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(_Content).decode


class Sessions:
    """Owned by one event loop. `random(n)` returns n random bytes."""

    def __init__(self, sealer: Sealer, random: Callable[[int], bytes]) -> None:
        self._sealer = sealer
        self._random = random
        self._live: dict[str, Session] = {}
        self._ended = Ended()

    def __len__(self) -> int:
        return len(self._live)

    def open(
        self, *, server: str, principal: str, hello: Hello, upstream_id: str | None, now: float
    ) -> Session:
        """A new session and its id, which only this principal can use, and only at this server."""
        jti = self._random(16)
        content = _Content(
            jti,
            hello.version,
            hello.capabilities if len(hello.capabilities) <= MAX_KEPT else b"{}",
            hello.client_info if len(hello.client_info) <= MAX_KEPT else b"",
            int(now),
            upstream_id,
        )
        bound = binding("session", server, principal)
        token = self._sealer.seal(_encode(content), bound, now + LIFETIME)
        session = self._build(token, content, server, principal)
        session.capabilities = hello.capabilities
        session.client_info = hello.client_info
        session.client = kept_name(hello.client_info)
        session.last_used = now
        self._live[token] = session
        return session

    def _build(self, token: str, content: _Content, server: str, principal: str) -> Session:
        return Session(
            token=token,
            jti=UUID(bytes=content.jti).hex,
            server=server,
            principal=principal,
            version=content.version,
            capabilities=content.capabilities,
            client_info=content.client_info,
            client=kept_name(content.client_info),
            created=float(content.created),
            expires=content.created + LIFETIME,
            upstream_id=content.upstream_id,
        )

    def find(self, token: str, server: str, principal: str, now: float) -> Session | None:
        """The session of this id, or None: unknown, ended, expired, or somebody else's."""
        session = self._live.get(token)
        if session is None:
            session = self._bring_back(token, server, principal, now)
            if session is None:
                return None
        elif session.server != server or session.principal != principal or session.expires <= now:
            return None
        session.last_used = now
        return session

    def _bring_back(self, token: str, server: str, principal: str, now: float) -> Session | None:
        """A session from before a restart, or one that was idle: its id holds what is needed."""
        if len(token) > 16 * MAX_KEPT:
            return None
        try:
            bound = binding("session", server, principal)
            content = _decode(self._sealer.unseal(token, bound, now))
        except (SealError, msgspec.MsgspecError):
            return None
        if self._ended.holds(content.jti, content.created + LIFETIME):
            return None
        session = self._build(token, content, server, principal)
        self._live[token] = session
        return session

    def end(self, session: Session) -> None:
        """The id never works again."""
        session.closed = True
        session.live = False
        self._live.pop(session.token, None)
        self._ended.add(UUID(hex=session.jti).bytes, session.expires)

    def all(self) -> list[Session]:
        return list(self._live.values())

    def sweep(self, now: float) -> list[Session]:
        """Let go of idle sessions; returns them. Streams and calls under way keep a session."""
        idle = [
            each
            for each in self._live.values()
            if each.last_used + IDLE <= now and not each.running and not each.streams
        ]
        for session in idle:
            session.live = False
            del self._live[session.token]
        self._ended.sweep(now)
        return idle
