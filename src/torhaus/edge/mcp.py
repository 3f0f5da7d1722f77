"""POST, GET and DELETE on `/mcp/{server}`: who asks, of which server, in which session."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from torhaus.edge import problems
from torhaus.edge.admission import Admission, Denied
from torhaus.edge.bodies import Bodies
from torhaus.edge.drive import Drive, Work
from torhaus.edge.exchange import Exchange, Header
from torhaus.edge.hall import Guesthouse, Hall
from torhaus.edge.heads import Heads
from torhaus.edge.reading import (
    MAX_NAME,
    Door,
    goes_nowhere,
    is_event_stream,
    once,
    takes_stream,
    trace,
)
from torhaus.edge.serving import NO_AUDIT, Serving, Stays
from torhaus.edge.visitor import Visitor
from torhaus.gate.aggregate.many import Many
from torhaus.gate.calls import Asking
from torhaus.gate.gate import Gate
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
from torhaus.model.ports import LedgerError, NoStream, UpstreamError
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
        self, *, admission: Admission, rules: Callable[[], Rules], gate: Gate, talk: Talk
    ) -> None:
        self.admission = admission
        self._rules = rules
        self._gate = gate
        self._talk = talk
        self.heads = Heads()
        self._drives: set[Drive[Door | Exchange]] = set()
        self._emptied: asyncio.Event | None = None
        self.open_streams: dict[Exchange, Stays] = {}
        self._serving = Serving(gate, talk, self.open_streams)
        self._bodies = Bodies(gate, self._serving, self._found, self._spawn)
        self.many = Many(gate=gate, talk=talk, rules=rules)
        self.hall = Hall(self.many, self._serving, self.open_streams, self._run, self._reject)

    # -- at the door ---------------------------------------------------------------------------

    def handle(self, exchange: Exchange) -> None:
        """Called by the connection with a whole request. Never raises."""
        try:
            rules = self._rules()
            head = exchange.head
            if b"origin" in head.headers:
                exchange.cors = self.admission.cors(head.headers[b"origin"])
                if self.admission.preflight(exchange):
                    return
            visitor, server = head.visitor, head.server
            if visitor is None or head.rules is not rules or head.peer != exchange.peer:
                visitor = self.admission.admit(exchange, rules)
                server = rules.servers.get(self.admission.named(head))
                head.rules, head.peer = rules, exchange.peer
                head.visitor, head.server = visitor, server
                head.session = head.scope = None
                self.heads.keep(head)
            if server is None:
                self._elsewhere(exchange, rules, visitor)
            else:
                self._route(Door(exchange, visitor, server))
        except Denied as denied:
            exchange.answer(*problems.caller_error(denied.error), *denied.headers)
        except Exception as error:  # noqa: BLE001 -- the last line: a bug must not take a connection
            self._bug(exchange, error)

    def screen(self, exchange: Exchange) -> None:
        """Turn a stranger away before the whole body has come. Never raises."""
        try:
            self.admission.admit(exchange, self._rules())
        except Denied as denied:
            exchange.answer(*problems.caller_error(denied.error), *denied.headers)
        except Exception as error:  # noqa: BLE001 -- as above
            self._bug(exchange, error)

    def _elsewhere(self, exchange: Exchange, rules: Rules, visitor: Visitor) -> None:
        """What is no server's own address: that of many servers, or of none."""
        view = rules.views.get(self.admission.named(exchange.head))
        if view is None:
            self._no_server(exchange, rules, visitor)
        else:
            self.hall.handle(Guesthouse(exchange, visitor, view, rules))

    def _no_server(self, exchange: Exchange, rules: Rules, visitor: Visitor) -> None:
        name = self.admission.named(exchange.head)
        name = name if len(name) <= MAX_NAME else name[:MAX_NAME] + "…"
        caller, now = visitor.principal, self._gate.clock()
        usable = [n for n, each in rules.servers.items() if may_use(caller, each, now)]
        have = ", ".join(usable) or "none"
        text = f"there is no server {self._gate.guard.text(name)!r} here; you may use: {have}"
        self._reject(exchange, visitor, name, CallerError(codes.UNKNOWN_SERVER, text, status=404))

    def _route(self, door: Door) -> None:
        exchange = door.exchange
        try:
            if exchange.head.twice is not None:
                once(exchange)
            if exchange.head.method == b"POST":
                self._post(door)
            elif exchange.head.method == b"GET":
                self._spawn(door, self._listen(door, self._session(door)))
            elif exchange.head.method == b"DELETE":
                self._spawn(door, self._delete(door, self._session(door)))
            else:
                method = exchange.head.method.decode("ascii")
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
            kept = self._gate.reject(visitor.principal, exchange.peer.ip, server, str(error))
        except LedgerError:
            kept = None
            log.error("audit.rejection.lost", server=server)
        if kept is None:
            _say(exchange, error)
        else:
            self._run(exchange, _after(kept, exchange, error))

    # -- POST ----------------------------------------------------------------------------------

    def _post(self, door: Door) -> None:
        exchange = door.exchange
        head = exchange.head
        if head.takes_stream is None:
            head.takes_stream = takes_stream(head)
        exchange.takes_stream = head.takes_stream
        body = exchange.body
        if not isinstance(body, bytes):
            body = bytes(body)
        seen = self._bodies.seen(door, body)
        if seen is not None and self._bodies.answer(door, seen):
            return
        message = read(body)
        if isinstance(message, Request):
            self._request(door, message, None if seen is None else seen.sight)
            return
        if goes_nowhere(message, exchange.head.headers):
            exchange.answer(202, b"")
            return
        self._spawn(door, self._tell(door, self._session(door), message))

    def _request(self, door: Door, request: Request, sight: Sight | None) -> None:
        exchange = door.exchange
        session = None
        era = LEGACY
        if ladder.is_modern(request, exchange.head.headers.get(ladder.VERSION)):
            ladder.check_modern(request, exchange.head.headers)
            era = MODERN
        elif request.method == "ping":
            exchange.json(200, result_text(request.id, b"{}"))
            return
        elif request.method == "initialize":
            exchange.takes_stream = False  # the session's id goes into the head of the answer
        else:
            session = self._session(door, request.id)
        visitor, head = door.visitor, exchange.head
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
        )
        self._spawn(door, self._serving.serve(door, asking))

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
        ip = door.exchange.peer.ip
        try:
            await self._talk.told(door.server, session, door.caller, ip, message)
        except LedgerError as error:
            raise CallerError(codes.AUDIT_UNAVAILABLE, NO_AUDIT, status=503) from error

    # -- sessions ------------------------------------------------------------------------------

    def _session(self, door: Door, request_id: bytes | None = None) -> Session:
        """The session a request belongs to. Raises CallerError with 400, 404 or 405."""
        head = door.exchange.head
        session = self._found(door, self._gate.clock())
        if session is not None:
            return session
        if ladder.SESSION in head.headers:
            text = "the session is not known here: begin a new one with `initialize`"
            raise CallerError(codes.INVALID_REQUEST, text, status=404, id=request_id)
        if head.method != b"POST":
            raise CallerError(codes.INVALID_REQUEST, "there is no session here", status=405)
        text = "the Mcp-Session-Id header is missing: begin with `initialize`"
        raise CallerError(codes.INVALID_REQUEST, text, id=request_id)

    def _found(self, door: Door, now: float) -> Session | None:
        """The session that a request names, if it is alive and the caller's."""
        head = door.exchange.head
        session = head.session
        if session is not None and session.live and session.expires > now:
            session.last_used = now
            return session
        token = head.headers.get(ladder.SESSION)
        head.scope = None  # it was of another session
        head.session = None
        if token is not None:
            name, caller = door.server.name, door.caller.id
            head.session = self._gate.sessions.find(token.decode("latin-1"), name, caller, now)
        return head.session

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
        try:
            await self._talk.listen(door.server, session, door.caller, resume, exchange)
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
        door.exchange.answer(200, b"")

    # -- drives --------------------------------------------------------------------------------

    def _spawn(self, door: Door, work: Work) -> None:
        drive: Drive[Door | Exchange] = Drive(door, work, self._ended)
        door.exchange.cancel = drive.cancel
        self._drives.add(drive)
        drive.step()

    def _run(self, exchange: Exchange, work: Work) -> None:
        drive: Drive[Door | Exchange] = Drive(exchange, work, self._ended)
        exchange.cancel = drive.cancel
        self._drives.add(drive)
        drive.step()

    def _ended(self, drive: Drive[Door | Exchange], error: Exception | None) -> None:
        self._drives.discard(drive)
        if self._emptied is not None and not self._drives:
            self._emptied.set()
        if error is None:
            return
        subject = drive.subject
        if isinstance(subject, Exchange):
            self._bug(subject, error)
        elif isinstance(error, CallerError):
            self._refuse(subject, error)
        else:
            self._bug(subject.exchange, error)

    def _bug(self, exchange: Exchange, error: Exception) -> None:
        number = self._gate.ids()
        log.error("edge.bug", id=number, exc_info=error)
        text = f"something went wrong in the gateway; its log knows more under {number}"
        failed = CallerError(codes.INTERNAL_ERROR, text, status=500)
        if exchange.streaming:
            exchange.end()
        else:
            exchange.answer(*problems.caller_error(failed))

    async def drain(self, seconds: float) -> None:
        """Let calls finish, end streams and waits; after `seconds` cancel what is left."""
        self._gate.patience.waits.close()
        for exchange in list(self.open_streams):
            if exchange.on_drain is not None:
                exchange.on_drain()
        await self._empty(seconds)
        for drive in list(self._drives):
            drive.cancel()
        await self._empty(1.0)

    async def _empty(self, seconds: float) -> None:
        if not self._drives:
            return
        self._emptied = asyncio.Event()
        with suppress(TimeoutError):
            await asyncio.wait_for(self._emptied.wait(), seconds)

    def forget(self) -> None:
        """Other rules are in force: what was recognised under the old ones is of no more use."""
        self.heads.clear()
        self._bodies.clear()
        self.many.forget()

    def revoke(self, now: float) -> None:
        """End the streams of callers who may no longer be here: removed, expired, denied."""
        if not self.open_streams:
            return
        rules = self._rules()
        for exchange, door in list(self.open_streams.items()):
            if not door.still_valid(rules, now) and exchange.on_drain is not None:
                exchange.on_drain()


def _say(exchange: Exchange, error: CallerError) -> None:
    """Answer with an error; a 405 names what is allowed (RFC 9110 15.5.6)."""
    allow: tuple[Header, ...] = ()
    if error.status == 405:
        only_post = exchange.head.method in (b"GET", b"DELETE")
        allow = ((b"allow", b"POST" if only_post else b"POST, GET, DELETE"),)
    exchange.answer(*problems.caller_error(error), *allow)


async def _after(kept: Awaitable[None], exchange: Exchange, error: CallerError) -> None:
    with suppress(LedgerError):
        await kept
    _say(exchange, error)
