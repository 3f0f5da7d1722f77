"""The link to a streamable HTTP upstream, in whichever eras it speaks."""

import asyncio
from collections.abc import Callable

import msgspec

from torhaus.mcp import eras
from torhaus.mcp.message import encode, error_object, notification_text, request_text
from torhaus.mcp.versions import LATEST_LEGACY
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Detached, NoStream, Sink, UpstreamError
from torhaus.model.servers import Era, HttpAddress, Server
from torhaus.model.session import Session
from torhaus.upstream.exchange import McpExchange, Reply
from torhaus.upstream.facts import Facts, initialize_text, unexpected
from torhaus.upstream.http import BrokenError, Connection, Pool, target
from torhaus.upstream.requests import Requests

POOLED_IDLE = 300.0
_DEAD_BODY = (b"session", b"Session", b"not initialized")


class HttpLink:
    """One streamable HTTP upstream. Owned by one event loop.

    `pool` carries requests, `streams` carries listening streams, so that many open streams never
    starve calls. `ids` yields request ids that are unique in this process for ever.
    """

    def __init__(self, server: Server, address: HttpAddress, ids: Callable[[], str]) -> None:
        where = target(address.url)
        self._server = server
        self._ids = ids
        self._loop = asyncio.get_running_loop()
        wait = server.connect_timeout
        self._pool = Pool(where, connect_timeout=wait, ca_file=address.ca_file)
        self._streams = Pool(where, connect_timeout=wait, ca_file=address.ca_file, limit=8192)
        self.requests = Requests(where, address.headers)
        self.facts = Facts()
        self._reopening: dict[str, asyncio.Task[None]] = {}
        self._pooled: dict[str, Session] = {}
        self._trouble: str | None = None
        self._sweeping: asyncio.TimerHandle | None = None

    # -- requests ------------------------------------------------------------------------------

    async def request(self, ask: Ask, sink: Sink) -> Answer:
        if ask.era is Era.MODERN:
            if self.facts.modern:
                return await self._stateless(ask, sink)
            return await self._modern_on_legacy(ask)
        if not self.facts.legacy:
            return await self._legacy_on_modern(ask, sink)
        body = request_text(ask.id, ask.method, ask.params)
        if ask.session is None:
            data = self.requests.legacy(body, None, None)
        else:
            data = self._in_session(body, ask.session)
        reply = await self.send(data, ask.id, sink, ask.timeout, safe=ask.method != "tools/call")
        if ask.session is not None and _dead(reply, ask.session):
            await self._reopen(ask.session)
            data = self._in_session(body, ask.session)
            reply = await self.send(data, ask.id, sink, ask.timeout)
        return self._answer(reply, ask, ask.id)

    def _in_session(self, body: bytes, session: Session) -> bytes:
        return self.requests.legacy(body, session.version, session.upstream_id)

    async def _stateless(self, ask: Ask, sink: Sink) -> Answer:
        body = request_text(ask.id, ask.method, ask.params)
        data = self.requests.modern(body, ask)
        reply = await self.send(data, ask.id, sink, ask.timeout, safe=ask.method != "tools/call")
        return self._answer(reply, ask, ask.id)

    async def _modern_on_legacy(self, ask: Ask) -> Answer:
        """A stateless caller on a session upstream: a pooled session of that principal carries it.

        The session declares no client capabilities, so the upstream asks nothing back.
        """
        initialize = self.facts.initialize
        if initialize is None:
            raise UpstreamError("it speaks neither era of the protocol")
        if ask.method == "server/discover":
            return Answer(result=eras.discover_from_initialize(initialize))
        if ask.method == "subscriptions/listen":
            raise UpstreamError(
                "it cannot serve `subscriptions/listen`: it speaks an older protocol"
            )
        session = await self._pooled_session(ask.principal)
        own_id = encode(self._ids())
        body = request_text(own_id, ask.method, eras.to_legacy_params(ask.params))
        safe = ask.method != "tools/call"
        data = self._in_session(body, session)
        reply = await self.send(data, own_id, None, ask.timeout, safe=safe)
        if _dead(reply, session):
            await self._reopen(session)
            reply = await self.send(self._in_session(body, session), own_id, None, ask.timeout)
        answer = self._answer(reply, ask, own_id)
        if answer.result is not None:
            info = msgspec.json.decode(initialize).get("serverInfo")
            text = None if info is None else encode(info)
            return Answer(result=eras.to_modern_result(ask.method, answer.result, text))
        return Answer(error=eras.to_modern_error(ask.method, answer.error or b"{}"))

    async def _pooled_session(self, principal: str) -> Session:
        now = self._loop.time()
        session = self._pooled.get(principal)
        if session is None:
            session = Session(
                token="",
                jti=f"pool-{principal}",
                server=self._server.name,
                principal=principal,
                version=LATEST_LEGACY,
                capabilities=b"{}",
                client_info=b"",
                created=now,
                expires=float("inf"),
            )
            self._pooled[principal] = session
            session.last_used = now
            await self._reopen(session)
        elif not session.initialized:
            await self._reopen(session)
        session.last_used = now
        if self._sweeping is None:
            self._sweeping = self._loop.call_later(POOLED_IDLE, self._sweep)
        return session

    def _sweep(self) -> None:
        self._sweeping = None
        now = self._loop.time()
        for principal, session in list(self._pooled.items()):
            if session.last_used + POOLED_IDLE <= now:
                del self._pooled[principal]
                self._spawn_close(session)
        if self._pooled:
            self._sweeping = self._loop.call_later(POOLED_IDLE, self._sweep)

    def _spawn_close(self, session: Session) -> None:
        task = self._loop.create_task(self.close(session))
        self._reopening[f"close-{session.jti}-{id(session)}"] = task
        task.add_done_callback(lambda _: self._forget_task(task))

    def _forget_task(self, task: asyncio.Task[None]) -> None:
        for name, each in list(self._reopening.items()):
            if each is task:
                del self._reopening[name]

    async def _legacy_on_modern(self, ask: Ask, sink: Sink) -> Answer:
        """A session caller on a stateless upstream: the session lives in the gateway alone."""
        discover = self.facts.discover
        if discover is None:
            raise UpstreamError("it speaks neither era of the protocol")
        if ask.method == "initialize":
            return Answer(result=eras.initialize_from_discover(discover, LATEST_LEGACY))
        session = ask.session
        if session is None:
            raise UpstreamError("a request without a session")
        params = eras.to_modern_params(
            ask.params, capabilities=b"{}", client_info=session.client_info
        )
        modern = msgspec.structs.replace(ask, params=params, era=Era.MODERN)
        answer = await self._stateless(modern, sink)
        if answer.result is None:
            return Answer(error=eras.to_legacy_error(ask.method, answer.error or b"{}"))
        if b'"input_required"' in answer.result and _asks(answer.result):
            text = "the server asks a question that this client's protocol version cannot carry"
            return Answer(error=error_object(-32603, text))
        return Answer(result=eras.to_legacy_result(answer.result))

    # -- what carries them ---------------------------------------------------------------------

    async def send(
        self,
        data: bytes,
        wanted: bytes | None,
        sink: Sink | None,
        patience: float | None,
        *,
        safe: bool = False,
    ) -> Reply:
        """One POST and the end of its exchange.

        A kept connection may turn out to be closed. What is `safe` is then sent once more; a tool
        call is not, because the upstream may have begun it (checklist U12). Raises UpstreamError.
        """
        pool = self._pool
        connection = pool.idle()
        kept = connection is not None
        if connection is None:
            connection = await self._connected(pool)
        exchange = McpExchange(self._loop, connection, wanted, sink)
        exchange.plain = not safe  # the answer to a tool call is all in its body
        connection.start(data, exchange, patience)
        try:
            return await exchange.done
        except BrokenError as error:
            self._trouble = str(error)
            if not (kept and safe and not error.answered):
                raise
        except UpstreamError as error:
            self._trouble = str(error)
            raise
        finally:
            if connection.exchange is exchange:
                if not exchange.done.done() or exchange.done.cancelled():
                    connection.transport.abort()
                elif sink is not None:
                    sink.throttle = None
                    connection.transport.resume_reading()
        return await self.send(data, wanted, sink, patience)

    async def _connected(self, pool: Pool) -> Connection:
        try:
            return await pool.acquire()
        except UpstreamError as error:
            self._trouble = str(error)
            raise

    def _answer(self, reply: Reply, ask: Ask, wanted: bytes) -> Answer:
        message = reply.answer
        self._trouble = None
        if message is None:
            if reply.last_event is not None:
                raise Detached("it ended the stream before it answered")
            raise unexpected(reply)
        if reply.status in (401, 403):
            raise unexpected(reply)
        if message.error is None and (message.id is None or bytes(message.id) != wanted):
            raise UpstreamError("it answered another request than the one it was sent")
        status = reply.status if reply.status in (200, 400, 404) else 200
        if message.error is not None:
            return Answer(error=bytes(message.error), status=status, event_id=reply.event_id)
        if message.result is None:
            raise UpstreamError("its answer holds neither a result nor an error")
        session = reply.headers.get(b"mcp-session-id") if ask.method == "initialize" else None
        return Answer(
            result=bytes(message.result),
            session=None if session is None else session.decode("latin-1"),
            event_id=reply.event_id,
        )

    # -- sessions ------------------------------------------------------------------------------

    async def _reopen(self, session: Session) -> None:
        """Open a new upstream session behind a living front one. One attempt serves all waiters."""
        task = self._reopening.get(session.jti)
        if task is None:
            task = self._loop.create_task(self._open(session))
            self._reopening[session.jti] = task
            task.add_done_callback(lambda _: self._reopening.pop(session.jti, None))
        await asyncio.shield(task)

    async def _open(self, session: Session) -> None:
        own_id = encode(self._ids())
        body = initialize_text(own_id, session.capabilities, session.client_info, session.version)
        data = self.requests.legacy(body, None, None)
        reply = await self.send(data, own_id, None, self._server.timeout, safe=True)
        if reply.answer is None or reply.answer.result is None:
            raise unexpected(reply)
        opened = reply.headers.get(b"mcp-session-id")
        session.upstream_id = None if opened is None else opened.decode("latin-1")
        version = msgspec.json.decode(reply.answer.result).get("protocolVersion")
        if not session.token and isinstance(version, str):
            session.version = version
        session.initialized = True
        hello = notification_text("notifications/initialized", b"")
        await self.send(self._in_session(hello, session), None, None, self._server.timeout)

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:  # noqa: ARG002 -- the port's shape
        if session is None or not self.facts.legacy:
            return  # the modern era defines no messages of this kind
        data = self._in_session(body, session)
        reply = await self.send(data, None, None, self._server.timeout)
        if _dead(reply, session):
            await self._reopen(session)
            reply = await self.send(
                self._in_session(body, session), None, None, self._server.timeout
            )
        if reply.status >= 300:
            raise unexpected(reply)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        if not self.facts.legacy:
            raise NoStream("it has no stream for unsolicited messages")
        connection = await self._streams.acquire()
        exchange = McpExchange(self._loop, connection, None, sink, sink.opened)
        data = self.requests.get(session.version, session.upstream_id, last_event_id)
        connection.start(data, exchange, None)
        try:
            reply = await exchange.done
        finally:
            sink.throttle = None
            if connection.exchange is exchange:
                connection.transport.abort()
        if reply.status == 405:
            raise NoStream("it has no stream for unsolicited messages")
        if reply.status != 200:
            raise unexpected(reply)

    async def close(self, session: Session) -> None:
        if session.upstream_id is None or not self.facts.legacy:
            return
        data = self.requests.delete(session.version, session.upstream_id)
        session.upstream_id = None
        try:
            await self.send(data, None, None, 5.0, safe=True)
        except UpstreamError:
            return  # the upstream lets its sessions expire; there is nobody to tell

    def state(self) -> str:
        return "ready" if self._trouble is None else f"down: {self._trouble}"

    async def shutdown(self) -> None:
        if self._sweeping is not None:
            self._sweeping.cancel()
        pooled, self._pooled = list(self._pooled.values()), {}
        if pooled:
            await asyncio.wait([asyncio.ensure_future(self.close(s)) for s in pooled], timeout=2.0)
        self._pool.close()
        self._streams.close()


def _dead(reply: Reply, session: Session) -> bool:
    """Whether the upstream no longer knows the session, so that nothing was processed (U7)."""
    if session.upstream_id is None and session.token:
        return False
    if reply.status == 404:
        return True
    error = None if reply.answer is None else reply.answer.error
    return (
        reply.status == 400
        and error is not None
        and any(word in bytes(error) for word in _DEAD_BODY)
    )


def _asks(result: bytes) -> bool:
    loose = msgspec.json.decode(result)
    return isinstance(loose, dict) and loose.get("resultType") == "input_required"
