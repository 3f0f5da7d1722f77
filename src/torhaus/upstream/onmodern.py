"""Callers who keep sessions, on an upstream that keeps none: the session lives here alone."""

from collections.abc import Callable

import msgspec

from torhaus.mcp import eras, inputs
from torhaus.mcp.codes import METHOD_NOT_FOUND
from torhaus.mcp.hearing import LEVELS
from torhaus.mcp.message import encode, error_object
from torhaus.mcp.versions import negotiate
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, UpstreamError
from torhaus.model.servers import Era
from torhaus.model.session import Session
from torhaus.model.sinks import Before
from torhaus.upstream import crossing
from torhaus.upstream.hearings import Hearings, Open
from torhaus.upstream.interviews import LEG, Interviews, Send
from torhaus.upstream.memory import MAX_URIS, Memory
from torhaus.upstream.replaying import Replays
from torhaus.upstream.replies import object_of

WISHES = frozenset(("logging/setLevel", "resources/subscribe", "resources/unsubscribe"))


class OnModern:
    """Owned by one event loop. `send` carries a stateless request, `opens` a listening one."""

    def __init__(
        self, ids: Callable[[], str], memory: Memory, send: Send, opens: Open, leg: float = LEG
    ) -> None:
        self._memory = memory
        self._send = send
        self.interviews = Interviews(ids, leg)
        self.hearings = Hearings(ids, memory, opens)
        self.replays = Replays(ids)

    async def request(self, ask: Ask, sink: Sink, discover: bytes) -> Answer:
        """`discover`: the upstream's result of it. Raises UpstreamError."""
        if ask.method == "initialize":
            asked = (object_of(ask.params) or {}).get("protocolVersion")
            return Answer(result=eras.initialize_from_discover(discover, negotiate(asked)))
        session = ask.session
        if session is None:
            raise UpstreamError("a request without a session")
        if ask.method == "ping":
            return Answer(result=b"{}")
        if ask.method in WISHES:
            return await self._wish(ask, session, discover)
        return await self._resumable(ask, session, sink)

    async def _resumable(self, ask: Ask, session: Session, sink: Sink) -> Answer:
        """Whether it asks is not known before, and then a stream must be there: so it is one."""
        modern = msgspec.structs.replace(ask, params=self._params(ask, session), era=Era.MODERN)
        kept = self.replays.begin(ask, session, sink)
        try:
            answer = await self.interviews.carry(modern, session, Plain(kept), self._send)
            return kept.answered(crossing.to_legacy(ask.method, answer))
        except UpstreamError:
            kept.failed(ask.method)
            raise
        except BaseException:  # cancelled, or a bug: nobody gets an answer
            kept.dropped()
            raise

    def _params(self, ask: Ask, session: Session) -> bytes:
        wishes = self._memory.known(session.jti)
        return eras.to_modern_params(
            ask.params,
            capabilities=encode(inputs.may_be_asked(session.capabilities)),
            client_info=session.client_info,
            log_level=None if wishes is None else wishes.level,
        )

    async def _wish(self, ask: Ask, session: Session, discover: bytes) -> Answer:
        """What a stateless server knows no request for: it goes with each request, or stream."""
        subscribes = ask.method != "logging/setLevel"
        if subscribes and eras.SUBSCRIPTIONS not in eras.announced(discover):
            return Answer(error=error_object(METHOD_NOT_FOUND, "it has no subscriptions"))
        remember(self._memory, ask, session)
        if subscribes:
            await self.hearings.changed(session)
        return Answer(result=b"{}")

    async def listen(
        self, session: Session, discover: bytes, last_event_id: str | None, sink: Sink
    ) -> None:
        """A listening stream, or the rest of a call's. Raises UpstreamError."""
        if last_event_id is None:
            await self.hearings.listen(session, discover, sink)
        else:
            await self.replays.resume(session, last_event_id, sink)

    def close(self, session: Session) -> None:
        """The session is over."""
        self.hearings.end(session)
        self.replays.forget(session)

    def heard(self, session: Session, body: bytes) -> bool:
        """Whether this answer of a client was to a question that was put here."""
        return self.interviews.heard(session, body)


def remember(memory: Memory, ask: Ask, session: Session) -> None:
    """What a session wished of its server."""
    if ask.method not in WISHES:
        return
    wanted = object_of(ask.params) or {}
    level, uri = wanted.get("level"), wanted.get("uri")
    wishes = memory.of(session.jti)
    if ask.method == "logging/setLevel" and level in LEVELS:
        wishes.level = level
    elif ask.method == "resources/unsubscribe":
        wishes.uris.discard(uri)
    elif isinstance(uri, str) and len(wishes.uris) < MAX_URIS:
        wishes.uris.add(uri)


class Plain(Before):
    """Stateless servers send no requests, and no events that could be resumed: ours can be."""

    __slots__ = ()

    def notice(self, notice: Notice) -> None:
        own = notice.tied  # a question that is put here
        if notice.method is not None and (notice.id is None or own):
            plain = notice if own else Notice(body=notice.body, method=notice.method)
            self._sink.notice(plain)
