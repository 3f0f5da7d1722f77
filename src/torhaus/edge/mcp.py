"""POST, GET and DELETE on `/mcp/{server}`: from an exchange to the gate and back."""

import asyncio
import sys
from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from torhaus.edge import problems
from torhaus.edge.admission import Admission, Denied, Visitor
from torhaus.edge.exchange import Exchange
from torhaus.edge.reading import Door, header, is_event_stream, post_headers, server_name
from torhaus.gate.calls import Asking
from torhaus.gate.gate import Gate
from torhaus.gate.sessions import Hello
from torhaus.gate.talk import Talk
from torhaus.mcp import codes, ladder
from torhaus.mcp.eras import decode
from torhaus.mcp.message import (
    CallerError,
    Notification,
    Request,
    Response,
    encode,
    read,
    result_text,
)
from torhaus.model.outcome import Answered
from torhaus.model.ports import Detached, LedgerError, NoStream, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session
from torhaus.policy.visible import may_use

log = structlog.get_logger()

_EAGER: dict[str, Any] = {"eager_start": True} if sys.version_info >= (3, 12) else {}


class McpEdge:
    """Owned by one event loop. `rules` returns the snapshot in force."""

    def __init__(
        self, *, admission: Admission, rules: Callable[[], Rules], gate: Gate, talk: Talk
    ) -> None:
        self._admission = admission
        self._rules = rules
        self._gate = gate
        self._talk = talk
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self.open_streams: dict[Exchange, Door] = {}

    # -- at the door ---------------------------------------------------------------------------

    def handle(self, exchange: Exchange) -> None:
        """Called by the connection with a whole request. Never raises."""
        try:
            ours = self._admission.check(exchange)
            rules = self._rules()
            visitor = self._admission.identify(exchange, rules, ours=ours)
            door = Door(exchange, visitor, self._server(exchange, rules, visitor))
            self._route(door)
        except Denied as denied:
            exchange.answer(*problems.caller_error(denied.error), *denied.headers)
        except Exception as error:  # noqa: BLE001 -- the last line: a bug must not take a connection
            self._bug(exchange, error)

    def _server(self, exchange: Exchange, rules: Rules, visitor: Visitor) -> Server:
        name = server_name(exchange.target)
        server = rules.servers.get(name)
        if server is not None:
            return server
        usable = [n for n, each in rules.servers.items() if may_use(visitor.principal, each)]
        have = ", ".join(usable) or "none"
        text = f"there is no server {name!r} here; you may use: {have}"
        if not name:
            text = f"name a server, as in /mcp/SERVER; you may use: {have}"
        error = CallerError(codes.UNKNOWN_SERVER, text, status=404)
        self._reject(Door(exchange, visitor, None), error, name)
        raise Denied(error)

    def _route(self, door: Door) -> None:
        exchange = door.exchange
        try:
            if exchange.method == b"POST":
                self._post(door)
            elif exchange.method == b"GET":
                self._spawn(door, self._listen(door, self._session(door)))
            elif exchange.method == b"DELETE":
                self._spawn(door, self._delete(door, self._session(door)))
            else:
                exchange.answer(405, b"", (b"allow", b"POST, GET, DELETE"))
        except CallerError as error:
            self._reject(door, error)
            exchange.answer(*problems.caller_error(error))

    def _reject(self, door: Door, error: CallerError, server: str | None = None) -> None:
        name = server if server is not None else door.server_name
        try:
            self._gate.reject(door.caller, door.exchange.peer.ip, name, str(error))
        except LedgerError:
            log.error("audit.rejection.lost", server=name)

    # -- POST ----------------------------------------------------------------------------------

    def _post(self, door: Door) -> None:
        sent = post_headers(door.exchange)
        message = read(bytes(door.exchange.body))
        if isinstance(message, Request):
            self._request(door, message, sent)
            return
        version = sent.get(ladder.VERSION)
        if ladder.SESSION not in sent and version is not None and ladder.is_modern_version(version):
            if isinstance(message, Response):
                text = "the modern protocol has no responses from clients: repeat the request"
                raise CallerError(codes.INVALID_REQUEST, text)
            door.exchange.answer(202, b"")
            return
        self._spawn(door, self._tell(door, self._session(door), message))

    def _request(self, door: Door, request: Request, sent: dict[bytes, bytes]) -> None:
        exchange = door.exchange
        session = None
        if ladder.is_modern(request, sent.get(ladder.VERSION)):
            ladder.check_modern(request, sent)
            era = Era.MODERN
        else:
            era = Era.LEGACY
            if request.method == "ping":
                exchange.answer(200, result_text(request.id, b"{}"))
                return
            if request.method != "initialize":
                session = self._session(door, request.id)
        asking = Asking(
            request=request,
            caller=door.caller,
            server=door.known,
            era=era,
            ip=exchange.peer.ip,
            session=session,
            headers=door.params() if era is Era.MODERN else (),
        )
        self._spawn(door, self._serve(door, asking))

    async def _serve(self, door: Door, asking: Asking) -> None:
        """One request, from the gate's door to the last byte of its answer."""
        exchange, session = door.exchange, asking.session
        task = asyncio.current_task()
        if task is not None:
            if session is not None:
                session.running[asking.request.id] = task.cancel
            elif asking.era is Era.MODERN:
                exchange.on_gone = task.cancel  # closing the stream cancels the call (M13)
        relay = self._talk.relay(exchange, door.known, door.caller.id, session)
        try:
            outcome = await self._gate.admit(asking, relay)
        except CallerError as error:
            self._reject(door, error)
            exchange.answer(*problems.caller_error(error))
            return
        except Detached:
            exchange.end()
            return
        except LedgerError:
            text = "The gateway cannot write its audit log and refuses calls until it can again."
            self._finish(
                exchange, asking, 200, problems.said(asking, codes.AUDIT_UNAVAILABLE, text)
            )
            return
        except asyncio.CancelledError:
            exchange.end()  # cancelled by its caller: a cancelled request gets no answer
            return
        finally:
            self.open_streams.pop(exchange, None)
            if session is not None:
                session.running.pop(asking.request.id, None)
        status, body = problems.ending(asking, outcome)
        event_id = None
        if isinstance(outcome, Answered):
            if asking.request.method == "initialize" and asking.era is Era.LEGACY:
                self._begin(door, asking, outcome, status, body)
                return
            if outcome.answer.event_id is not None and session is not None:
                event_id = self._talk.seals(session).event(outcome.answer.event_id)
        self._finish(exchange, asking, status, body, event_id)

    def _finish(
        self,
        exchange: Exchange,
        asking: Asking,  # noqa: ARG002 -- kept beside its body for readers of tracebacks
        status: int,
        body: bytes,
        event_id: str | None = None,
    ) -> None:
        if exchange.streaming:
            exchange.event(body, event_id)
            exchange.end()
        else:
            exchange.answer(status, body)

    def _begin(
        self, door: Door, asking: Asking, outcome: Answered, status: int, body: bytes
    ) -> None:
        """A session begins: its id is minted on the answer to `initialize`."""
        exchange, result = door.exchange, outcome.answer.result
        if result is None or exchange.gone:
            exchange.answer(status, body)
            return
        version = decode(result).get("protocolVersion")
        params = asking.request.params
        hello = Hello(
            version=version if isinstance(version, str) else "",
            capabilities=encode(params.get("capabilities") or {}),
            client_info=encode(params.get("clientInfo") or {}),
        )
        session = self._gate.sessions.open(
            server=door.known.name,
            principal=door.caller.id,
            hello=hello,
            upstream_id=outcome.answer.session,
            now=self._gate.clock(),
        )
        exchange.answer(status, body, (b"mcp-session-id", session.token.encode("ascii")))

    async def _tell(self, door: Door, session: Session, message: Notification | Response) -> None:
        if isinstance(message, Response):
            await self._talk.answer(door.known, session, door.caller.id, message)
        else:
            await self._talk.notify(door.known, session, door.caller.id, message)
        door.exchange.answer(202, b"")

    # -- sessions ------------------------------------------------------------------------------

    def _session(self, door: Door, request_id: bytes | None = None) -> Session:
        """The session a request belongs to. Raises CallerError with 400, 404 or 405."""
        exchange = door.exchange
        token = header(exchange, ladder.SESSION)
        if token is None:
            if exchange.method != b"POST":
                raise CallerError(codes.INVALID_REQUEST, "there is no session here", status=405)
            text = "the Mcp-Session-Id header is missing: begin with `initialize`"
            raise CallerError(codes.INVALID_REQUEST, text, id=request_id)
        if not may_use(door.caller, door.known):
            text = f"you have no permission on {door.known.name}"
            raise CallerError(codes.REFUSED, text, status=200, id=request_id)
        session = self._gate.sessions.find(
            token.decode("latin-1"), door.known.name, door.caller.id, self._gate.clock()
        )
        if session is None:
            text = "the session is not known here: begin a new one with `initialize`"
            raise CallerError(codes.INVALID_REQUEST, text, status=404, id=request_id)
        return session

    async def _listen(self, door: Door, session: Session) -> None:
        exchange = door.exchange
        if not is_event_stream(exchange):
            text = "GET opens an event stream: send `Accept: text/event-stream`"
            raise CallerError(codes.INVALID_REQUEST, text, status=406)
        task = asyncio.current_task()
        if task is not None:
            exchange.on_gone = task.cancel
            exchange.on_drain = task.cancel
        last = header(exchange, b"last-event-id")
        self.open_streams[exchange] = door
        try:
            await self._talk.listen(
                door.known, session, None if last is None else last.decode("latin-1"), exchange
            )
        except NoStream:
            exchange.answer(405, b"", (b"allow", b"POST, DELETE"))
        except UpstreamError as error:
            text = f"{door.server_name} cannot be listened to: {error}"
            if exchange.streaming:
                log.info("stream.ended", server=door.server_name, reason=str(error))
            else:
                raise CallerError(codes.UPSTREAM_FAILED, text, status=502) from error
        except asyncio.CancelledError:
            pass  # the client hung up, or the stream was closed from here: the end is the same
        finally:
            self.open_streams.pop(exchange, None)
        exchange.end()

    async def _delete(self, door: Door, session: Session) -> None:
        await self._talk.end(door.known, session)
        door.exchange.answer(200, b"")

    # -- tasks ---------------------------------------------------------------------------------

    def _spawn(self, door: Door, work: Coroutine[object, object, None]) -> None:
        task = asyncio.Task(self._guarded(door, work), loop=self._loop, **_EAGER)
        if not task.done():
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _guarded(self, door: Door, work: Coroutine[object, object, None]) -> None:
        try:
            await work
        except CallerError as error:
            self._reject(door, error)
            door.exchange.answer(*problems.caller_error(error))
        except Exception as error:  # noqa: BLE001 -- see `handle`
            self._bug(door.exchange, error)

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
        """Let calls finish, end streams; after `seconds` cancel what is left."""
        for exchange in list(self.open_streams):
            if exchange.on_drain is not None:
                exchange.on_drain()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=seconds)
        for task in list(self._tasks):
            task.cancel()
        if self._tasks:
            await asyncio.wait(list(self._tasks), timeout=1.0)

    def revoke(self, now: float) -> None:
        """End the streams of callers who may no longer be here: removed, expired, without rights."""
        rules = self._rules()
        for exchange, door in list(self.open_streams.items()):
            if not door.still_valid(rules, now) and exchange.on_drain is not None:
                exchange.on_drain()
