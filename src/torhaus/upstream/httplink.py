"""The link to a streamable HTTP upstream, in whichever eras it speaks."""

import asyncio
from collections.abc import Callable
from itertools import count

import msgspec

from torhaus.mcp import eras
from torhaus.mcp.message import encode, notification_text, request_text
from torhaus.mcp.versions import LEGACY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Detached, NoStream, Sink, UpstreamError
from torhaus.model.servers import Era, HttpAddress, Server
from torhaus.model.session import Session
from torhaus.upstream.again import again
from torhaus.upstream.carrying import Carrier
from torhaus.upstream.chores import Chores
from torhaus.upstream.exchange import Reply
from torhaus.upstream.facts import Facts, initialize_text
from torhaus.upstream.faults import FaultError
from torhaus.upstream.http import target
from torhaus.upstream.memory import Memory
from torhaus.upstream.onlegacy import OnLegacy
from torhaus.upstream.onmodern import OnModern, remember
from torhaus.upstream.pooled import Pooled
from torhaus.upstream.replies import (
    FOREIGN,
    object_of,
    session_of,
    speaks_legacy,
    streamed,
    unexpected,
)
from torhaus.upstream.requests import REPEATABLE, Requests
from torhaus.upstream.whose import (
    ANOTHERS,
    AtCaller,
    anothers,
    at_server,
    calling_off,
)

RESTORE = 10.0
"""Seconds an upstream gets for each wish it is told again."""
_MODERN = Era.MODERN  # looking a member up costs more than comparing with it
_RESPONSE = b'{"jsonrpc":"2.0","id":'
_NO_STREAM = "it has no stream for unsolicited messages"
_FORGOTTEN = "it has forgotten the session in which it asked"


class HttpLink:
    """One streamable HTTP upstream. Owned by one event loop.

    `send` carries one POST: see `Carrier`. `ids` yields request ids that are unique in this process
    for ever. `doubt` is called when the upstream answers as if `facts` were no longer true. Raises
    UpstreamError.
    """

    def __init__(
        self,
        server: Server,
        address: HttpAddress,
        ids: Callable[[], str],
        doubt: Callable[[], None] = lambda: None,
    ) -> None:
        self.requests = Requests(target(address.url), address.headers)
        self._carrier = Carrier(server, address)
        self.send = self._carrier.send
        self._server = server
        self._ids = ids
        # Everybody's first request is 1: what a server says twice must fit nobody who comes behind.
        self._numbers = map(b"%d".__mod__, count(1))
        self._doubt = doubt
        self._loop = asyncio.get_running_loop()
        self.facts = Facts()
        self._reopening: dict[str, asyncio.Task[None]] = {}
        self._chores = Chores()
        self._memory = Memory()
        self._pooled = Pooled(
            server.name,
            opens=lambda session: self._reopen(session, session.upstream_id),
            closes=lambda session: self._chores.start(self.close(session)),
        )
        self._on_legacy = OnLegacy(
            server,
            ids,
            self._pooled,
            OnLegacy.Ways(
                request=self.request,
                reply=self._answer_back,
                listen=lambda session, sink: self.listen(session, None, sink),
                cancel=lambda session, own_id: self._chores.start(self._cancel(session, own_id)),
            ),
        )
        self._on_modern = OnModern(ids, self._memory, self._stateless, self._hear)

    def show(self, server: Server, address: HttpAddress) -> None:
        """Present another credential from now on; connections and sessions stay."""
        self.requests = Requests(target(address.url), address.headers)
        self._carrier.show(server, address)

    # -- requests ------------------------------------------------------------------------------

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        if ask.era is _MODERN:
            if self.facts.modern:
                return await self._stateless(ask, sink)
            return await self._modern_on_legacy(ask, sink)
        if self.facts.initialize is None:  # `legacy`, without the call
            return await self._legacy_on_modern(ask, sink)
        safe = ask.method in REPEATABLE
        session = ask.session
        if session is None:
            own = next(self._numbers)
            data = self.requests.legacy(request_text(own, ask.method, ask.params), None, None)
            return self._answer(await self.send(data, own, sink, ask.timeout, safe=safe), ask, own)
        if session.unopened:
            await self._reopen(session, None)
        used, own = session.upstream_id, at_server(ask.id, session)
        body = request_text(own, ask.method, ask.params)
        data = self.requests.legacy(body, session.version, used)
        reply = await self.send(data, own, sink, ask.timeout, safe=safe)
        if reply.status != 200 and again(reply):
            await self._reopen(session, used)
            data = self._in_session(body, session)
            reply = await self.send(data, own, sink, ask.timeout, safe=safe)
        answer = self._answer(reply, ask, own)
        if safe and answer.result is not None:
            remember(self._memory, ask, session)
        return answer

    def _in_session(self, body: bytes, session: Session) -> bytes:
        return self.requests.legacy(body, session.version, session.upstream_id)

    async def _stateless(self, ask: Ask, sink: Sink) -> Answer:
        # News of a listening name it by its caller's id; it shares its connection with no call.
        own = ask.id if ask.timeout is None else next(self._numbers)
        body = request_text(own, ask.method, ask.params)
        data = self.requests.modern(body, ask)
        reply = await self.send(data, own, sink, ask.timeout, safe=ask.method in REPEATABLE)
        if reply.status in FOREIGN and (reply.answer is None or speaks_legacy(reply.answer)):
            self._doubt()
        return self._answer(reply, ask, own)

    async def _modern_on_legacy(self, ask: Ask, sink: Sink) -> Answer:
        """A stateless caller on a session upstream."""
        initialize = self.facts.initialize
        if initialize is None:
            raise UpstreamError("it speaks neither era of the protocol")
        if ask.method == "server/discover":
            return Answer(result=eras.discover_from_initialize(initialize))
        return await self._on_legacy.request(ask, sink, initialize)

    async def _cancel(self, session: Session, own_id: bytes) -> None:
        """Tell a server with sessions that nobody waits any more: hanging up says nothing there."""
        params = encode({"requestId": msgspec.Raw(own_id)})
        body = notification_text("notifications/cancelled", params)
        try:
            await self.post(session, session.principal, body)
        except UpstreamError:
            return  # then it is gone anyway

    def _answer_back(self, session: Session, body: bytes) -> None:
        self._chores.start(self.post(session, session.principal, body))

    async def _legacy_on_modern(self, ask: Ask, sink: Sink) -> Answer:
        """A session caller on a stateless upstream."""
        if self.facts.discover is None:
            raise UpstreamError("it speaks neither era of the protocol")
        return await self._on_modern.request(ask, sink, self.facts.discover)

    def _answer(self, reply: Reply, ask: Ask, own: bytes) -> Answer:
        """`own`: the id that was sent."""
        if reply.ready is not None:
            self._carrier.trouble = None
            return reply.ready
        message = reply.answer
        if message is None or reply.status in (401, 403):
            resumable = ask.era is Era.LEGACY and ask.session is not None
            if resumable and message is None and reply.last_event is not None:
                raise Detached("it ended the stream before it answered")
            error = unexpected(reply)
            self._carrier.trouble = str(error)
            raise error
        self._carrier.trouble = None
        if anothers(message, own):
            raise FaultError(ANOTHERS)
        if message.error is not None:  # whatever its id: the Python SDK writes "server-error"
            status = reply.status if reply.status in (200, 400, 404) else 200
            return Answer(error=bytes(message.error), status=status, event_id=reply.event_id)
        if message.result is None:
            raise FaultError("its answer holds neither a result nor an error")
        session = session_of(reply) if ask.method == "initialize" else None
        return Answer(result=bytes(message.result), session=session, event_id=reply.event_id)

    # -- sessions ------------------------------------------------------------------------------

    async def _reopen(self, session: Session, used: str | None) -> None:
        """Open a new upstream session behind a living front one. One attempt serves all waiters.

        `used`: the upstream session that was found dead; nothing happens if it is already replaced.
        """
        task = self._reopening.get(session.jti)
        if task is None:
            if session.upstream_id != used:
                return
            task = self._loop.create_task(self._open(session))
            self._reopening[session.jti] = task
            task.add_done_callback(lambda task: self._reopened(session.jti, task))
        await asyncio.shield(task)

    def _reopened(self, jti: str, task: asyncio.Task[None]) -> None:
        self._reopening.pop(jti, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _open(self, session: Session) -> None:
        own = next(self._numbers)
        body = initialize_text(own, session.capabilities, session.client_info, session.version)
        data = self.requests.legacy(body, None, None)
        reply = await self.send(data, own, None, self._server.timeout, safe=True)
        result = None if reply.answer is None else object_of(reply.answer.result)
        if result is None or reply.status >= 400:
            if reply.status in FOREIGN:
                self._doubt()
            raise unexpected(reply)
        session.upstream_id = session_of(reply)
        version = result.get("protocolVersion")
        if not session.token and version in LEGACY:
            session.version = version
        session.initialized, session.unopened = True, False
        hello = self._in_session(notification_text("notifications/initialized", b""), session)
        await self.send(hello, None, None, self._server.timeout, safe=True)
        await self._restore(session)
        if session.closed:
            await self.close(session)

    async def _restore(self, session: Session) -> None:
        """Tell a new upstream session what the old one had been told."""
        wishes = self._memory.known(session.jti)
        if wishes is None:
            return
        told = [("resources/subscribe", {"uri": uri}) for uri in sorted(wishes.uris)]
        if wishes.level is not None:
            told.append(("logging/setLevel", {"level": wishes.level}))
        for method, params in told:
            own = at_server(encode(self._ids()), session)
            body = request_text(own, method, encode(params))
            await self.send(self._in_session(body, session), own, None, RESTORE, safe=True)

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:  # noqa: ARG002 -- the port's shape
        if session is None:
            return  # the modern era defines no messages of this kind
        if body.startswith(_RESPONSE) and self._on_modern.heard(session, body):
            return
        if not self.facts.legacy:
            return
        if session.unopened:
            if body.startswith(_RESPONSE):
                raise UpstreamError(_FORGOTTEN)
            return  # nobody there to tell
        body = calling_off(body, session)
        used = session.upstream_id
        patience = self._server.timeout
        reply = await self.send(self._in_session(body, session), None, None, patience, safe=True)
        if again(reply):
            if body.startswith(_RESPONSE):
                raise UpstreamError(_FORGOTTEN)
            await self._reopen(session, used)
            data = self._in_session(body, session)
            reply = await self.send(data, None, None, patience, safe=True)
        if reply.status >= 300:
            raise unexpected(reply)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        if not self.facts.legacy:
            if self.facts.discover is None:
                raise NoStream(_NO_STREAM)
            await self._on_modern.listen(session, self.facts.discover, last_event_id, sink)
            return
        if session.unopened:
            await self._reopen(session, None)
        used = session.upstream_id
        reply = await self._listen(session, last_event_id, sink)
        if used is not None and again(reply):
            await self._reopen(session, used)
            reply = await self._listen(session, None, sink)
        if reply.status in (404, 405, 501) or (reply.status == 200 and not streamed(reply)):
            raise NoStream(_NO_STREAM)
        if reply.status != 200:
            raise unexpected(reply)

    async def _listen(self, session: Session, last_event_id: str | None, sink: Sink) -> Reply:
        data = self.requests.get(session.version, session.upstream_id, last_event_id)
        return await self._carrier.stream(data, None, AtCaller(sink, session))

    async def _hear(self, ask: Ask, sink: Sink) -> None:
        """Carry a `subscriptions/listen` on a connection for streams until it ends."""
        data = self.requests.modern(request_text(ask.id, ask.method, ask.params), ask)
        self._answer(await self._carrier.stream(data, ask.id, sink), ask, ask.id)

    async def close(self, session: Session) -> None:
        self._memory.forget(session.jti)
        self._on_modern.close(session)
        if session.upstream_id is None or not self.facts.legacy:
            return
        data = self.requests.delete(session.version, session.upstream_id)
        session.upstream_id = None
        try:
            await self.send(data, None, None, 5.0, safe=True)
        except UpstreamError:
            return  # the upstream lets its sessions expire; there is nobody to tell

    def state(self) -> str:
        return "ready" if self._carrier.trouble is None else f"down: {self._carrier.trouble}"

    async def shutdown(self) -> None:
        reopening = list(self._reopening.values())
        for task in reopening:
            task.cancel()
        await self._on_legacy.end()
        self._pooled.end()
        self._on_modern.replays.close()
        await self._chores.finish(2.0)
        self._carrier.close()
        await asyncio.gather(*reopening, return_exceptions=True)
