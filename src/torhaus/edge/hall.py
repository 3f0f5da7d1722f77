"""`/mcp` and the addresses of virtual servers: many servers behind one door."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any

from torhaus.edge.drive import Work
from torhaus.edge.exchange import Exchange
from torhaus.edge.guesthouse import Guesthouse, Standing
from torhaus.edge.insession import missing
from torhaus.edge.reading import goes_nowhere, is_event_stream, once, takes_stream
from torhaus.edge.serving import LISTEN, NO_AUDIT, Serving, Stays, over
from torhaus.edge.visitor import Visitor
from torhaus.gate.aggregate.following import Following, nobody
from torhaus.gate.aggregate.fronts import MANY, Front
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.listening import Listening
from torhaus.gate.aggregate.many import Many
from torhaus.gate.aggregate.routing import known, routed
from torhaus.gate.aggregate.saying import Changed
from torhaus.gate.aggregate.tools import CALL, OURS, Unclear, inner
from torhaus.gate.calls import Asking
from torhaus.gate.described import HELLOS
from torhaus.gate.sessions import Hello
from torhaus.mcp import codes, ladder
from torhaus.mcp.clients import kept_name, sent_name
from torhaus.mcp.eras import SUBSCRIPTIONS
from torhaus.mcp.message import (
    CallerError,
    Notification,
    Request,
    Response,
    encode,
    read,
    result_text,
)
from torhaus.mcp.methods import LISTS
from torhaus.mcp.seal import SealError
from torhaus.mcp.versions import negotiate
from torhaus.model.outcome import Outcome
from torhaus.model.ports import LedgerError, NoStream, UpstreamError
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session
from torhaus.policy.classify import NOTHING

ROOTS = "notifications/roots/list_changed"
CANCELLED = "notifications/cancelled"
INITIALIZED = "notifications/initialized"
PROGRESS = "notifications/progress"

Local = Coroutine[Any, Any, bytes]
Run = Callable[[Exchange, Work], None]
Reject = Callable[[Exchange, Visitor, str, CallerError], None]


class Hall:
    """Owned by one event loop, like the edge it is a part of."""

    def __init__(
        self,
        many: Many,
        serving: Serving,
        open_streams: dict[Exchange, Stays],
        run: Run,
        reject: Reject,
    ) -> None:
        self._many = many
        self._serving = serving
        self._open = open_streams
        self._run = run
        self._reject = reject
        self._gate, self._talk = many.gate, many.talk

    def handle(self, house: Guesthouse) -> None:
        """Called with a whole request. Raises nothing but bugs."""
        exchange = house.exchange
        method = exchange.head.method
        try:
            if exchange.head.twice is not None:
                once(exchange)
            if method == b"POST":
                self._post(house)
            elif method == b"GET":
                session = self._session(house)
                self._run(exchange, self._caught(house, self._listen(house, session)))
            elif method == b"DELETE":
                session = self._session(house)
                self._run(exchange, self._caught(house, self._delete(house, session)))
            else:
                name = method.decode("ascii")
                text = f"MCP has no {name} requests: use POST, or GET and DELETE in a session"
                raise CallerError(codes.INVALID_REQUEST, text, status=405)  # noqa: TRY301 -- as all others
        except CallerError as error:
            self._refuse(house, error)

    async def _caught(self, house: Guesthouse, work: Work) -> None:
        try:
            await work
        except CallerError as error:
            self._refuse(house, error)

    def _refuse(self, house: Guesthouse, error: CallerError) -> None:
        self._reject(house.exchange, house.visitor, MANY + house.view.name, error)

    # -- POST ----------------------------------------------------------------------------------

    def _post(self, house: Guesthouse) -> None:
        exchange = house.exchange
        exchange.takes_stream = takes_stream(exchange.head)
        message = read(bytes(exchange.body))
        if isinstance(message, Request):
            self._run(exchange, self._caught(house, self._request(house, message)))
            return
        if goes_nowhere(message, exchange.head.headers):
            exchange.answer(202, b"")
            return
        self._run(exchange, self._caught(house, self._tell(house, self._session(house), message)))

    async def _request(self, house: Guesthouse, request: Request) -> None:
        headers = house.exchange.head.headers
        if ladder.is_modern(request, headers.get(ladder.VERSION)):
            # What the client repeats in headers is what it said, under the names it knows.
            ladder.check_modern(request, headers)
            client, meta = sent_name(request.params), request.params["_meta"]
            await self._serve(house, house.guest(Era.MODERN, client, meta=meta), request)
        elif request.method == "ping":
            house.exchange.json(200, result_text(request.id, b"{}"))
        elif request.method == "initialize":
            await self._begin(house, request)
        else:
            session = self._session(house, request.id)
            front = self._many.fronts.of(session)
            await self._serve(house, house.guest(Era.LEGACY, session.client, front), request)

    async def _serve(self, house: Guesthouse, guest: Guest, request: Request) -> None:
        method, searched = request.method, guest.view.searched
        if searched and method == "tools/list":
            work = self._many.finding.listed(guest, request)
            await self._local(house, guest, request, work)
        elif searched and method == "tools/call" and request.params.get("name") in OURS:
            await self._found(house, guest, request)
        elif method in LISTS:
            await self._local(house, guest, request, self._many.listed(guest, request))
        elif method in HELLOS:
            await self._local(house, guest, request, self._many.hello(guest, request))
        elif method == "logging/setLevel" and guest.front is not None:
            work = self._many.set_level(guest, guest.front, request)
            await self._local(house, guest, request, work)
        elif method == LISTEN and guest.front is None:
            await self._follow(house, guest, request)
        else:
            await self._routed(house, guest, request)

    async def _follow(self, house: Guesthouse, guest: Guest, request: Request) -> None:
        """A stream that hears all servers. Raises CallerError."""
        exchange, many = house.exchange, self._many
        if not exchange.takes_stream:
            text = "subscriptions/listen opens an event stream: accept `text/event-stream`"
            raise CallerError(codes.INVALID_REQUEST, text, status=406, id=request.id)
        front = nobody()
        standing = Standing(house, front, guest.client)

        def may(server: Server, wanted: Mapping[str, Any] = NOTHING) -> bool:
            return standing.may(server, self._gate.clock(), many.rules(), wanted)

        following = Following(
            many=many,
            guest=guest,
            front=front,
            stream=exchange,
            request=request,
            may=may,
            renewed=house.visitor.renewed,
            reads=lambda server, uri: may(server, {"notifications": {SUBSCRIPTIONS: [uri]}}),
        )
        exchange.on_gone = exchange.on_drain = exchange.cancel
        self._open[exchange] = standing
        try:
            await following.follow()
        except LedgerError as error:
            raise _unwritable(request) from error
        except asyncio.CancelledError:
            pass  # the end is the same as of one that cannot go on
        finally:
            self._open.pop(exchange, None)
        if exchange.streaming and not exchange.gone:
            exchange.event(over(request.id))
        exchange.end()

    async def _found(self, house: Guesthouse, guest: Guest, request: Request) -> None:
        """A call of one of our own tools, or through it of another. Raises CallerError."""
        finding = self._many.finding
        if request.params["name"] != CALL:
            await self._local(house, guest, request, finding.answer(guest, request))
            return
        try:
            call = inner(request)
        except Unclear as unclear:
            await self._local(house, guest, request, finding.unclear(guest, request, unclear))
            return
        name = str(call.params["name"])
        try:
            found = known(guest.view, house.rules.servers, call)
        except CallerError as error:
            told = finding.unclear(guest, request, Unclear(str(error)))
            await self._local(house, guest, request, told)
            return
        if found is None:
            await self._local(house, guest, request, finding.missing(guest, request, name))
            return
        try:
            asking = await self._many.reaching(guest, found)
        except LedgerError as error:
            raise _unwritable(request) from error
        ending = self._many.carry(guest, asking, house.exchange, self._changed(guest))
        await self._carried(house, guest, asking, finding.ended(guest, name, ending))

    async def _routed(self, house: Guesthouse, guest: Guest, request: Request) -> None:
        """A request that one server answers. Raises CallerError."""
        found = routed(guest.view, house.rules.servers, request)
        asking = self._many.asking(guest, found)
        ending = self._many.carry(guest, asking, house.exchange, self._changed(guest))
        await self._carried(house, guest, asking, ending)

    def _changed(self, guest: Guest) -> Changed:
        return _nowhere if guest.front is None else guest.front.changed

    async def _carried(
        self, house: Guesthouse, guest: Guest, asking: Asking, ending: Awaitable[Outcome]
    ) -> None:
        request = asking.request
        running = {} if guest.front is None else guest.front.session.running
        running[request.id] = house.exchange.cancel
        try:
            await self._serving.serve(house.door(asking.server), asking, ending)
        finally:
            running.pop(request.id, None)
            if guest.front is not None and house.exchange.gone:
                guest.front.missed(request.id, asking.server.name)

    async def _local(self, house: Guesthouse, guest: Guest, request: Request, work: Local) -> None:
        """A request that is answered here. Raises CallerError."""
        exchange = house.exchange
        running = {} if guest.front is None else guest.front.session.running
        running[request.id] = exchange.cancel
        if guest.era is Era.MODERN:
            exchange.on_gone = exchange.cancel
        try:
            result = await work
        except LedgerError as error:
            raise _unwritable(request) from error
        except asyncio.CancelledError:
            exchange.end()  # a cancelled request gets no answer
            return
        finally:
            running.pop(request.id, None)
        exchange.json(200, result_text(request.id, result))

    # -- sessions ------------------------------------------------------------------------------

    async def _begin(self, house: Guesthouse, request: Request) -> None:
        """A session begins: its id is minted on the answer to `initialize`."""
        params = request.params
        info = encode(params.get("clientInfo") or {})
        guest = house.guest(Era.LEGACY, kept_name(info))
        try:
            result = await self._many.hello(guest, request)
        except LedgerError as error:
            raise _unwritable(request) from error
        hello = Hello(
            version=negotiate(params.get("protocolVersion")),
            capabilities=encode(params.get("capabilities") or {}),
            client_info=info,
        )
        session = self._gate.sessions.open(
            server=MANY + house.view.name,
            principal=house.caller.id,
            hello=hello,
            upstream_id=None,
            now=self._gate.clock(),
        )
        token = (b"mcp-session-id", session.token.encode("ascii"))
        house.exchange.answer(200, result_text(request.id, result), token)

    def _session(self, house: Guesthouse, request_id: bytes | None = None) -> Session:
        """The session a request belongs to. Raises CallerError with 400, 404 or 405."""
        head = house.exchange.head
        token = head.headers.get(ladder.SESSION)
        if token is not None:
            where, now = MANY + house.view.name, self._gate.clock()
            found = self._gate.sessions.find(token.decode("latin-1"), where, house.caller.id, now)
            if found is not None:
                return found
        raise missing(head, request_id)

    async def _delete(self, house: Guesthouse, session: Session) -> None:
        self._gate.sessions.end(session)
        await self._many.fronts.end(session)
        house.exchange.answer(200, b"")

    # -- what is no request --------------------------------------------------------------------

    async def _tell(
        self, house: Guesthouse, session: Session, message: Notification | Response
    ) -> None:
        front = self._many.fronts.of(session)
        if isinstance(message, Response):
            await self._heard(house, front, message)
        elif message.method == INITIALIZED:
            session.initialized = True
        elif message.method == CANCELLED:
            await self._cancelled(house, front, message)
        elif message.method == ROOTS:
            for name in list(front.members):
                await self._notify(house, front, name, message)
        elif message.method != PROGRESS:  # whose progress it is, nobody can tell
            text = f"{message.method[:80]!r} is not passed on to several servers at once"
            raise CallerError(codes.METHOD_NOT_FOUND, text, status=200)
        house.exchange.answer(202, b"")

    async def _notify(
        self, house: Guesthouse, front: Front, name: str, message: Notification
    ) -> None:
        """Pass it on to one server, if the caller may still tell it anything."""
        server, member = house.rules.servers.get(name), front.members.get(name)
        if server is not None and member is not None and self._may(house, front, server):
            await self._talk.notify(server, member, house.caller.id, message)

    async def _cancelled(self, house: Guesthouse, front: Front, message: Notification) -> None:
        request_id = encode(message.params.get("requestId"))
        name = front.sent.get(request_id)
        if name is not None:
            await self._notify(house, front, name, message)
        cancel = front.session.running.get(request_id)
        if cancel is not None:
            cancel()

    async def _heard(self, house: Guesthouse, front: Front, message: Response) -> None:
        """The client's answer to a server's question: whose it was, only that server's seal says.

        Raises CallerError for an id that is none of this session's.
        """
        guest = house.guest(Era.LEGACY, front.session.client, front)
        for server in guest.servers(house.rules, self._gate.clock()):
            peeked = self._many.fronts.peek(front, server)
            try:
                self._talk.seals(peeked).open_request(message.id)
            except SealError:
                continue
            if not self._may(house, front, server):
                break
            member = self._many.fronts.member(front, server)
            await self._talk.answer(server, member, house.caller.id, message)
            return
        raise CallerError(codes.INVALID_REQUEST, "no request of this session has that id")

    def _may(self, house: Guesthouse, front: Front, server: Server) -> bool:
        standing = Standing(house, front, front.session.client)
        return standing.may(server, self._gate.clock(), self._many.rules())

    # -- listening -----------------------------------------------------------------------------

    async def _listen(self, house: Guesthouse, session: Session) -> None:
        exchange = house.exchange
        if not is_event_stream(exchange):
            text = "GET opens an event stream: send `Accept: text/event-stream`"
            raise CallerError(codes.INVALID_REQUEST, text, status=406)
        front = self._many.fronts.of(session)
        standing = Standing(house, front, session.client)
        exchange.on_gone = exchange.on_drain = exchange.cancel
        last = exchange.head.headers.get(b"last-event-id")
        listening = Listening(
            many=self._many,
            guest=house.guest(Era.LEGACY, session.client, front),
            front=front,
            stream=exchange,
            may=lambda server: self._may(house, front, server),
            renewed=house.visitor.renewed,
        )
        self._open[exchange] = standing
        try:
            await listening.listen(None if last is None else last.decode("latin-1"))
        except (NoStream, UpstreamError) as error:
            if not exchange.streaming:
                text = f"the stream cannot be resumed: {error}"
                raise CallerError(codes.UPSTREAM_FAILED, text, status=502) from error
        except asyncio.CancelledError:
            pass  # the client hung up, or the stream was closed from here: the end is the same
        finally:
            self._open.pop(exchange, None)
        exchange.end()


def _nowhere(server: str, notice: str) -> None:
    """Nobody listens to changes of lists in the modern era, unless he asks for them."""


def _unwritable(request: Request) -> CallerError:
    return CallerError(codes.AUDIT_UNAVAILABLE, NO_AUDIT, status=200, id=request.id)
