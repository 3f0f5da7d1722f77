"""Requests whose bodies came before, but for their ids: they are answered without being read.

What a body is recognised by is its bytes, all of them, within one `Scope`; what it means was
found out when it was read the last time. Everything else is the gate's (`gate/recall.py`).
"""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec

from torhaus.edge import insession
from torhaus.edge.drive import Work
from torhaus.edge.exchange import Exchange
from torhaus.edge.reading import PARAM, Door, trace
from torhaus.edge.serving import Serving
from torhaus.gate.calls import Asking
from torhaus.gate.gate import Gate
from torhaus.gate.recall import Asked
from torhaus.gate.repeats import Repeat
from torhaus.gate.sight import Scope, Sight
from torhaus.mcp import ladder
from torhaus.mcp.frames import cut
from torhaus.mcp.message import Request, read
from torhaus.model.outcome import Answered, Outcome
from torhaus.model.ports import Entry, LedgerError, Miss
from torhaus.model.session import Session

MOST = 8192
"""Scopes that are remembered."""


class Seen(msgspec.Struct, frozen=True, gc=False):
    """A body that may be recognised. `id`: JSON text."""

    sight: Sight
    id: bytes
    session: Session | None


class Bodies:
    """Owned by one event loop."""

    def __init__(self, gate: Gate, serving: Serving, spawn: Callable[[Door, Work], None]) -> None:
        self._gate = gate
        self._recall = gate.recall
        self._serving = serving
        self._spawn = spawn
        self._scopes: dict[tuple[object, ...], Scope] = {}

    def seen(self, door: Door, body: bytes, now: float) -> Seen | None:
        """None for a body that is read in any case. Where nothing is kept, nobody needs to ask."""
        parts = cut(body)
        if parts is None:
            return None
        head, session = door.exchange.head, None
        if not head.modern:
            session = insession.found(self._gate.sessions, door, now)
            if session is None:
                return None
        scope = head.scope
        if scope is None:
            scope = head.scope = self._scope(door, session)
        return Seen(Sight(scope, parts[0]), parts[1], session)

    def answer(self, door: Door, seen: Seen, now: float) -> bool:
        """Whether the call was one of those that are known, and is taken care of."""
        sight = seen.sight
        known = self._recall.repeats.find(sight.scope, sight.frame)
        if known is None:
            return False
        exchange = door.exchange
        head = exchange.head
        if head.trace is None:
            head.trace = trace(head)
        try:
            ended = self._recall.answer(known, head.trace, now)
        except LedgerError as error:
            self._later(door, seen, known, _lost(error))
            return True
        if ended is None:
            return False
        if type(ended) is Answered:
            exchange.result(seen.id, ended.answer.result or b"{}")
        elif isinstance(ended, Asked):
            self._spawn(door, self._ask(door, seen, ended))
        else:
            self._later(door, seen, known, ended)
        return True

    def _later(self, door: Door, seen: Seen, known: Repeat, ending: Awaitable[Outcome]) -> None:
        """The end of a call that has to wait for its record, or cannot have one."""
        self._spawn(door, self._serve(door, seen, known, ending))

    def _serve(self, door: Door, seen: Seen, known: Repeat, ending: Awaitable[Outcome]) -> Work:
        request = msgspec.structs.replace(known.asking.request, id=seen.id)
        asking = msgspec.structs.replace(
            known.asking, request=request, session=seen.session, visit=door
        )
        return self._serving.serve(door, asking, ending)

    async def _ask(self, door: Door, seen: Seen, asked: Asked) -> None:
        """A call whose answer may be in another process. It can be called off as any other."""
        exchange, session, known = door.exchange, seen.session, asked.known
        if session is None:
            exchange.on_gone = exchange.cancel
        else:
            session.running[seen.id] = exchange.cancel
        try:
            found = await asked.answer
            ended = self._recall.answered(asked, found)
        except asyncio.CancelledError:
            ended = self._recall.gone(asked)
        except LedgerError as error:
            ended = _lost(error)
        finally:
            if session is not None:
                session.running.pop(seen.id, None)
        if isinstance(ended, Answered):
            exchange.result(seen.id, ended.answer.result or b"{}")
        elif ended is None:
            await self._serving.serve(door, self._read(door, seen, asked, found))
        else:
            await self._serve(door, seen, known, ended)

    def _read(self, door: Door, seen: Seen, asked: Asked, found: Entry | Miss) -> Asking:
        """The call as it is when it is read after all, without asking the same again."""
        known = asked.known
        message = read(bytes(door.exchange.body))
        assert isinstance(message, Request)  # noqa: S101 -- a body of its frame was one
        return msgspec.structs.replace(
            known.asking,
            request=message,
            session=seen.session,
            visit=door,
            trace=asked.trace,
            sight=seen.sight,
            missed=(known.key, found) if isinstance(found, Miss) else None,
        )

    def _scope(self, door: Door, session: Session | None) -> Scope:
        """The same object for the same things: repeats are found by it."""
        exchange, visitor = door.exchange, door.visitor
        headers = () if session is not None else _repeating(exchange)
        client = "" if session is None else session.client
        protocol = "" if session is None else session.version
        key = (id(visitor.principal), id(door.server), visitor.key, exchange.peer.ip)
        whole = (*key, headers, client, protocol)
        scope = self._scopes.get(whole)
        if scope is None:
            if len(self._scopes) >= MOST:
                self._scopes.clear()
            # It holds what the ids in its key are of, so that none of them is given anew.
            scope = self._scopes[whole] = Scope(
                visitor.principal,
                door.server,
                visitor.key,
                exchange.peer.ip,
                headers,
                client,
                protocol,
            )
        return scope

    def clear(self) -> None:
        """The rules have changed: nothing of this will be met again."""
        self._scopes.clear()
        self._recall.repeats.clear()


def _repeating(exchange: Exchange) -> tuple[tuple[bytes, bytes], ...]:
    """The headers in which a request of the modern era says again what its body says."""
    return tuple(
        (name, value)
        for name, value in exchange.head.headers.items()
        if name in ladder.ROUTING or name.startswith(PARAM)
    )


async def _lost(error: LedgerError) -> Outcome:
    raise error
