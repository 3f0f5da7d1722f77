"""POST, GET and DELETE on `/mcp/{server}`: who asks, of which server, in which session."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress

import structlog

from torhaus.edge import problems
from torhaus.edge.admission import Admission, Denied, cannot_know
from torhaus.edge.bodies import Bodies
from torhaus.edge.exchange import Exchange
from torhaus.edge.guesthouse import Guesthouse
from torhaus.edge.hall import Hall
from torhaus.edge.heads import Heads
from torhaus.edge.insession import required
from torhaus.edge.oldsse import OldSse
from torhaus.edge.oldstream import Inside
from torhaus.edge.reading import (
    MAX_NAME,
    Door,
    goes_nowhere,
    is_event_stream,
    once,
    takes_stream,
    trace,
)
from torhaus.edge.serving import NO_AUDIT, Serving
from torhaus.edge.underway import UnderWay
from torhaus.edge.visitor import Visitor
from torhaus.gate.aggregate.many import Many
from torhaus.gate.calls import Asking
from torhaus.gate.gate import Gate
from torhaus.gate.news import Unasked
from torhaus.gate.sight import Sight
from torhaus.gate.talk import Talk
from torhaus.mcp import codes, ladder
from torhaus.mcp.message import (
    CallerError,
    Notification,
    Request,
    Response,
    read,
    result_text,
)
from torhaus.model.caching import NO_CACHING
from torhaus.model.live import Live, NobodyElse
from torhaus.model.ports import LedgerError, NoStream, StateError, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era
from torhaus.model.session import Session
from torhaus.policy.methods import NOTIFICATIONS
from torhaus.policy.visible import may_use

log = structlog.get_logger()

LEGACY, MODERN = Era.LEGACY, Era.MODERN  # looking a member up each time costs more


class McpEdge:
    """Owned by one event loop. `rules` returns the snapshot in force.

    Replace `admission` only together with the rules: heads are remembered under both.
    """

    def __init__(
        self,
        *,
        admission: Admission,
        rules: Callable[[], Rules],
        gate: Gate,
        talk: Talk,
        live: Live | None = None,
    ) -> None:
        self.admission = admission
        self._live = NobodyElse() if live is None else live
        self._rules = rules
        self._gate = gate
        self._talk = talk
        self.heads = Heads()
        self._underway = UnderWay(self._refuse, gate.ids)
        self.open_streams = self._underway.streams
        self._serving = Serving(gate, talk, self.open_streams)
        self._bodies = Bodies(gate, self._serving, self._underway.spawn)
        self.many = Many(gate=gate, talk=talk, rules=rules)
        run = self._underway.run
        self.hall = Hall(self.many, self._serving, self.open_streams, run, self._reject)
        named = lambda head: self.admission.named(head)  # noqa: E731 -- it is replaced on reload
        self._old = OldSse(Inside(gate, rules, self.handle), named, self._reject, self.open_streams)

    # -- at the door ---------------------------------------------------------------------------

    def handle(self, exchange: Exchange) -> None:
        """Called by the connection with a whole request. Never raises."""
        try:
            rules, head = self._rules(), exchange.head
            if self.admission.proxied:
                exchange.peer = self.admission.proxies.client(exchange.peer, head.headers)
            if b"origin" in head.headers:
                exchange.cors = self.admission.cors(head.headers[b"origin"])
                if self.admission.preflight(exchange):
                    return
            visitor, server, now = head.visitor, head.server, self._gate.clock()
            if (
                visitor is None
                or head.rules is not rules
                or head.peer != exchange.peer
                or visitor.lease.until <= now
                or self._live.until <= now
            ):
                visitor = self.admission.admit(exchange, rules)
                server = rules.servers.get(self.admission.named(head))
                head.rules, head.peer = rules, exchange.peer
                head.visitor, head.server = visitor, server
                head.session = head.scope = None
                self.heads.keep(head)
            visitor.lease.used = now
            if server is None:
                self._elsewhere(exchange, rules, visitor)
            else:
                self._route(Door(exchange, visitor, server), now)
        except Denied as denied:
            if denied.digest is None:
                _turn_away(exchange, denied)
            else:
                self._underway.run(exchange, self._look(exchange, denied, denied.digest))
        except Exception as error:  # noqa: BLE001 -- the last line: a bug must not take a connection
            self._underway.bug(exchange, error)

    def screen(self, exchange: Exchange) -> None:
        """Turn a stranger away before the whole body has come. Never raises."""
        try:
            exchange.peer = self.admission.proxies.client(exchange.peer, exchange.head.headers)
            self.admission.admit(exchange, self._rules())
        except Denied as denied:
            if denied.digest is None:  # else who it is will be asked when all of it is here
                _turn_away(exchange, denied)
        except Exception as error:  # noqa: BLE001 -- as above
            self._underway.bug(exchange, error)

    async def _look(self, exchange: Exchange, denied: Denied, digest: bytes) -> None:
        """A credential that may have been issued elsewhere a moment ago: ask, and try again."""
        asking = asyncio.ensure_future(self.admission.learn(digest, exchange.peer.ip))
        try:
            known = await asyncio.shield(asking)
        except StateError:
            _turn_away(exchange, cannot_know())
            return
        if known:
            self.handle(exchange)
            return
        self.admission.stranger(exchange, denied)
        _turn_away(exchange, denied)

    def _elsewhere(self, exchange: Exchange, rules: Rules, visitor: Visitor) -> None:
        """What is no server's own address: that of many servers, or of none."""
        view = rules.views.get(self.admission.named(exchange.head))
        if view is not None:
            self.hall.handle(Guesthouse(exchange, visitor, view, rules))
        elif not self._old.takes(exchange, rules, visitor):
            self._no_server(exchange, rules, visitor)

    def _no_server(self, exchange: Exchange, rules: Rules, visitor: Visitor) -> None:
        name = self.admission.named(exchange.head)
        name = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
        caller, now = visitor.principal, self._gate.clock()
        have = ", ".join(n for n, it in rules.servers.items() if may_use(caller, it, now)) or "none"
        text = f"there is no server {self._gate.guard.text(name)!r} here; you may use: {have}"
        self._reject(exchange, visitor, name, CallerError(codes.UNKNOWN_SERVER, text, status=404))

    def _route(self, door: Door, now: float) -> None:
        exchange, sessions = door.exchange, self._gate.sessions
        head = exchange.head
        try:
            if head.twice is not None:
                once(exchange)
            if head.method == b"POST":
                self._post(door, now)
            elif head.method == b"GET":
                self._underway.spawn(door, self._listen(door, required(sessions, door, now)))
            elif head.method == b"DELETE":
                self._underway.spawn(door, self._delete(door, required(sessions, door, now)))
            else:
                method = head.method.decode("ascii")
                text = f"MCP has no {method} requests: use POST, or GET and DELETE in a session"
                raise CallerError(codes.INVALID_REQUEST, text, status=405)  # noqa: TRY301 -- as all others
        except CallerError as error:
            self._refuse(door, error)

    def _refuse(self, door: Door, error: CallerError) -> None:
        """Answer a message that never became a call; it still leaves a record."""
        self._reject(door.exchange, door.visitor, door.server.name, error)

    def _reject(
        self, exchange: Exchange, visitor: Visitor, server: str, error: CallerError
    ) -> None:
        """Record first, then answer. Nothing was let through, so a lost record holds nothing up."""
        try:
            kept = self._gate.reject(visitor.actor, exchange.peer.ip, server, str(error))
        except LedgerError:
            kept = None
            log.error("audit.rejection.lost", server=server)
        if kept is None:
            problems.say(exchange, error)
        else:
            self._underway.run(exchange, _after(kept, exchange, error))

    # -- POST ----------------------------------------------------------------------------------

    def _post(self, door: Door, now: float) -> None:
        exchange = door.exchange
        head = exchange.head
        if head.takes_stream is None:
            version = head.headers.get(ladder.VERSION)
            head.modern = version is not None and ladder.is_modern_version(version)
            head.takes_stream = takes_stream(head)
        exchange.takes_stream = head.takes_stream
        body = exchange.body
        if type(body) is not bytes:
            body = bytes(body)
        seen = None
        if door.server.caching is not NO_CACHING:  # else nothing is kept, so nothing recognised
            seen = self._bodies.seen(door, body, now)
            if seen is not None and self._bodies.answer(door, seen, now):
                return
        message = read(body)
        if type(message) is Request:
            self._request(door, message, None if seen is None else seen.sight, now)
            return
        if goes_nowhere(message, head.headers):
            exchange.answer(202, b"")
            return
        session = required(self._gate.sessions, door, now)
        self._underway.spawn(door, self._tell(door, session, message))

    def _request(self, door: Door, request: Request, sight: Sight | None, now: float) -> None:
        exchange, head = door.exchange, door.exchange.head
        session = None
        era = LEGACY
        if head.modern or ladder.says_modern(request):
            ladder.check_modern(request, head.headers)
            era = MODERN
        elif request.method == "ping":
            exchange.json(200, result_text(request.id, b"{}"))
            return
        elif request.method == "initialize":
            exchange.takes_stream = False  # the session's id goes into the head of the answer
        else:
            session = required(self._gate.sessions, door, now, request.id)
        visitor = door.visitor
        if head.trace is None:
            head.trace = trace(head)
        asking = Asking(
            request=request,
            caller=visitor.principal,
            server=door.server,
            era=era,
            ip=exchange.peer.ip,
            session=session,
            headers=door.params() if era is MODERN else (),
            visit=door,
            key=visitor.key,
            trace=head.trace,
            sight=sight,
            shown=visitor.shown,
        )
        self._underway.spawn(door, self._serving.serve(door, asking))

    async def _tell(self, door: Door, session: Session, message: Notification | Response) -> None:
        if isinstance(message, Notification):
            self._check_access(door.used_by(session.client, message.method, message.params), 200)
        else:
            self._check_access(door.used_by(session.client), 200)
        if isinstance(message, Response):
            await self._talk.answer(door.server, session, door.caller.id, message)
        elif message.method not in NOTIFICATIONS:
            await self._told(door, session, message)
        else:
            await self._talk.notify(door.server, session, door.caller.id, message)
        door.exchange.answer(202, b"")

    async def _told(self, door: Door, session: Session, message: Notification) -> None:
        ip, shown = door.exchange.peer.ip, door.visitor.shown
        try:
            await self._talk.told(door.server, session, door.caller, ip, message, shown)
        except LedgerError as error:
            raise CallerError(codes.AUDIT_UNAVAILABLE, NO_AUDIT, status=503) from error

    # -- in a session --------------------------------------------------------------------------

    def _check_access(self, door: Door, status: int) -> None:
        """For what is no request and so never decided by the gate. Raises CallerError."""
        denied = door.barred(door.caller, door.server, self._gate.clock())
        if denied is not None:
            raise CallerError(codes.REFUSED, denied.reason, status=status)

    async def _listen(self, door: Door, session: Session) -> None:
        exchange = door.exchange
        if not is_event_stream(exchange):
            text = "GET opens an event stream: send `Accept: text/event-stream`"
            raise CallerError(codes.INVALID_REQUEST, text, status=406)
        door = door.used_by(session.client)
        self._check_access(door, 405)
        exchange.on_gone = exchange.on_drain = exchange.cancel
        last = exchange.head.headers.get(b"last-event-id")
        resume = None if last is None else last.decode("latin-1")
        self.open_streams[exchange] = door
        front, news = Unasked(exchange), self._talk.news
        try:
            with news.told(door.server, door.visitor.renewed, front.tell):
                await self._talk.listen(door.server, session, door.caller, resume, front)
        except NoStream:
            exchange.answer(405, b"", (b"allow", b"POST, DELETE"))
        except UpstreamError as error:
            if not exchange.streaming:
                text = f"{door.server.name} cannot be listened to: {error}"
                raise CallerError(codes.UPSTREAM_FAILED, text, status=502) from error
            log.info("stream.ended", server=door.server.name, reason=str(error))
        except asyncio.CancelledError:
            pass  # the client hung up, or the stream was closed from here: the end is the same
        finally:
            self.open_streams.pop(exchange, None)
        exchange.end()

    async def _delete(self, door: Door, session: Session) -> None:
        await self._talk.end(door.server, session)
        self.heads.forget(session)
        door.exchange.answer(200, b"")

    # -- the end -------------------------------------------------------------------------------

    async def drain(self, seconds: float) -> None:
        """Let calls finish, end streams and waits; after `seconds` cancel what is left."""
        self._gate.patience.waits.close()
        await self._underway.drain(seconds)

    def forget(self) -> None:
        """Other rules are in force: what was recognised under the old ones is of no more use."""
        self.heads.clear()
        self._bodies.clear()
        self.many.forget()

    def revoke(self, now: float) -> None:
        """End the streams of callers who must go, and tell the others what has changed."""
        self._talk.news.look()
        if self.open_streams:
            self._underway.revoke(self._rules(), now)

    def recall(self, now: float) -> None:
        """Other rules are in force: end what they do not allow any more, at once."""
        self.revoke(now)
        self._underway.recall(self._rules(), now)

    def cut(self) -> None:
        """Credentials were taken away: end what came with them, at once."""
        self._underway.cut()

    def leave(self, sessions: Iterable[Session]) -> None:
        """Sessions are over: so are their parked calls, and what stands behind `/mcp` for them."""
        for session in sessions:
            self._gate.abandon(session)
            self._gate.fetching.chore(self.many.fronts.end(session))

    def dismiss(self, principal: str) -> None:
        """Somebody may be here no longer: his sessions never work again."""
        own = [each for each in self._gate.sessions.all() if each.principal == principal]
        for session in own:
            self._gate.sessions.end(session)
        self.leave(own)


def _turn_away(exchange: Exchange, denied: Denied) -> None:
    exchange.answer(*problems.caller_error(denied.error), *denied.headers)


async def _after(kept: Awaitable[None], exchange: Exchange, error: CallerError) -> None:
    with suppress(LedgerError):
        await kept
    problems.say(exchange, error)
