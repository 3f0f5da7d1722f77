"""Callers without a session, on an upstream that needs one: sessions of their own carry them."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from torhaus.mcp import eras, inputs
from torhaus.mcp.message import encode
from torhaus.mcp.methods import MAY_ASK
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Detached, Notice, Sink, UpstreamError
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session
from torhaus.model.sinks import Before
from torhaus.upstream import crossing, linking
from torhaus.upstream.announcing import Announcing
from torhaus.upstream.envelope import fields
from torhaus.upstream.parking import Desk, Parking
from torhaus.upstream.pooled import Pooled, StatelessSink, wanted_by
from torhaus.upstream.replies import object_of
from torhaus.upstream.subscribing import Deaf, wish

LISTEN = "subscriptions/listen"


class _Ways(msgspec.Struct, frozen=True):
    """What a link can do with a session. `reply` and `cancel` do not wait."""

    request: Callable[[Ask, Sink], Awaitable[Answer]]
    reply: Callable[[Session, bytes], None]
    cancel: Callable[[Session, bytes], None]
    listen: Callable[[Session, Sink], Awaitable[None]]


class OnLegacy:
    """Owned by one event loop."""

    Ways = _Ways

    def __init__(self, server: Server, ids: Callable[[], str], pooled: Pooled, ways: _Ways) -> None:
        self._ids = ids
        self._pooled = pooled
        self._ways = ways
        self.parking = Parking(server)
        self.announcing = Announcing(ways.listen, ways.reply, self._wish)

    async def request(self, ask: Ask, sink: Sink, initialize: bytes) -> Answer:
        """`initialize`: the upstream's result of it. Raises UpstreamError."""
        if returns(ask):
            return await self.parking.resume(ask, sink)
        declined = linking.declined(ask)
        if declined is not None:
            return declined
        declared = capabilities(ask.params)
        session = await self._pooled.borrow(ask.principal, spelled(declared))
        if ask.method == LISTEN:
            return await self._listen(ask, session, sink, initialize)
        if declared and ask.method in MAY_ASK:
            return await self._asked(ask, session, declared, sink, initialize)
        try:
            inner = StatelessSink(
                sink, wanted_by(ask.params)[1], lambda body: self._ways.reply(session, body)
            )
            answer = await self._carry(ask, session, inner, initialize)
        finally:
            self._pooled.give_back(session)
        return crossing.to_modern(ask.method, answer, initialize, declared)

    async def _listen(self, ask: Ask, session: Session, sink: Sink, initialize: bytes) -> Answer:
        try:
            return await self.announcing.follow(ask, sink, session, offered(initialize))
        finally:
            self._pooled.give_back(session)

    async def _wish(self, session: Session, method: str, uri: str) -> bool:
        own = wish(method, uri, session, encode(self._ids()))
        return (await self._ways.request(own, Deaf())).result is not None

    async def end(self) -> None:
        """Stop what goes on by itself."""
        await self.announcing.end()
        await self.parking.end()

    async def _asked(
        self, ask: Ask, session: Session, declared: dict[str, Any], sink: Sink, initialize: bytes
    ) -> Answer:
        """A call whose server may ask: then it is parked, and its session with it."""
        desk = Desk(lambda body: self._ways.reply(session, body), declared)
        # Its time is counted in the rounds: people are slower than servers.
        patient = msgspec.structs.replace(ask, timeout=None)
        apart = _Apart(desk, self._pooled, session)
        try:
            left = await self.announcing.attend(session, apart)
        except BaseException:
            self._pooled.give_back(session)
            raise

        def over(_: asyncio.Task[Answer]) -> None:
            left()
            self._pooled.give_back(session)

        work = self._carry(patient, session, apart, initialize)
        task = asyncio.get_running_loop().create_task(work)
        # Not in the work itself: a task that is cancelled at once never begins.
        task.add_done_callback(over)
        return await self.parking.begin(
            ask,
            desk,
            sink,
            task,
            lambda answer: crossing.to_modern(ask.method, answer, initialize, declared),
        )

    async def _carry(self, ask: Ask, session: Session, sink: Sink, initialize: bytes) -> Answer:
        own = msgspec.structs.replace(
            ask,
            id=encode(self._ids()),
            params=eras.to_legacy_params(ask.params),
            session=session,
            era=Era.LEGACY,
        )
        try:
            answer = await self._ways.request(own, sink)
        except asyncio.CancelledError:
            self._ways.cancel(session, own.id)
            raise
        except Detached as error:
            # Nobody could resume it: the session and its event ids are ours.
            raise UpstreamError(str(error)) from error
        if ask.changes:
            self.announcing.called(ask.principal, offered(initialize))
        return answer


class _Apart(Before):
    """Sets the session of a call apart once its server asks something."""

    __slots__ = ("_pooled", "_session")

    def __init__(self, sink: Sink, pooled: Pooled, session: Session) -> None:
        super().__init__(sink)
        self._pooled = pooled
        self._session = session

    def notice(self, notice: Notice) -> None:
        if notice.id is not None and notice.method is not None and notice.method != "ping":
            self._pooled.set_apart(self._session)
        self._sink.notice(notice)


def offered(initialize: bytes) -> dict[str, object]:
    """The capabilities of a server, in its result of `initialize`."""
    known = (object_of(initialize) or {}).get("capabilities")
    return known if isinstance(known, dict) else {}


def returns(ask: Ask) -> bool:
    """Whether a request is the next round of another one."""
    return b'"requestState"' in ask.params and "requestState" in fields(ask.params)


def capabilities(params: bytes) -> dict[str, Any]:
    """Of what a stateless request declares, that by which servers may ask its client."""
    meta = fields(fields(params).get("_meta"))
    return inputs.may_be_asked(bytes(meta.get(CAPABILITIES_KEY, b"{}")))


def spelled(declared: dict[str, Any]) -> bytes:
    """Capabilities in one spelling: sessions are shared by those whose clients can do the same."""
    return msgspec.json.encode(declared, order="deterministic")
