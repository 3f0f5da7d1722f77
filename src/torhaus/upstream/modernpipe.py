"""Callers of both eras on a server that keeps no sessions and stands behind a pipe.

A request travels as it is; those of callers with sessions are made stateless by `onmodern`.
"""

import itertools
import secrets
from collections.abc import Callable

import msgspec

from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink
from torhaus.model.servers import Era
from torhaus.model.session import Session
from torhaus.upstream import crossing, marked
from torhaus.upstream.conversation import Conversation
from torhaus.upstream.envelope import fields
from torhaus.upstream.memory import Memory
from torhaus.upstream.onmodern import OnModern
from torhaus.upstream.pooled import wanted_by
from torhaus.upstream.replies import object_of

LISTEN = "subscriptions/listen"


class ModernPipe:
    """Owned by one event loop. `conversation`: a principal's pipe; raises UpstreamError."""

    def __init__(self, conversation: Callable[[str], Conversation]) -> None:
        self._conversation = conversation
        prefix, numbers = secrets.token_hex(6), itertools.count(1)
        self._memory = Memory()
        self._on_modern = OnModern(
            lambda: f"th-{prefix}-{next(numbers)}", self._memory, self._send, self._hear
        )

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        """Ask and wait. Raises UpstreamError."""
        if ask.era is Era.MODERN:
            return await self._send(ask, sink)
        discover = (await self._conversation(ask.principal).opened()).result
        return await self._on_modern.request(ask, sink, discover)

    def post(self, session: Session, body: bytes) -> None:
        """An answer to a question that was put here; nothing else is for a stateless server."""
        self._on_modern.heard(session, body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        """The stream of a session. Raises UpstreamError."""
        discover = (await self._conversation(session.principal).opened()).result
        await self._on_modern.listen(session, discover, last_event_id, sink)

    def close(self, session: Session) -> None:
        """The session is over."""
        self._memory.forget(session.jti)
        self._on_modern.close(session)

    def end(self) -> None:
        """Stop what goes on by itself."""
        self._on_modern.replays.close()

    async def _hear(self, ask: Ask, sink: Sink) -> None:
        await self._send(ask, sink)

    async def _send(self, ask: Ask, sink: Sink) -> Answer:
        # The session is ours alone: what the server says of the call is for the call.
        own = msgspec.structs.replace(ask, session=None)
        conversation = self._conversation(ask.principal)
        answer = await conversation.request(own, sink, wanted_by(ask.params)[1])
        if answer.result is None:
            code = (object_of(answer.error) or {}).get("code")
            return Answer(error=answer.error, status=crossing.status_of(code))
        if ask.method == LISTEN:
            return Answer(result=marked.marked(fields(answer.result), ask.id))
        return answer
