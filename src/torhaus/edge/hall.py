"""`/mcp` and the addresses of virtual servers: many servers behind one door."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from torhaus.edge.drive import Work
from torhaus.edge.exchange import Exchange
from torhaus.edge.reading import (
    Door,
    goes_nowhere,
    is_event_stream,
    once,
    params,
    takes_stream,
    trace,
)
from torhaus.edge.serving import NO_AUDIT, Serving, Stays
from torhaus.edge.visitor import Visitor
from torhaus.gate.aggregate.fronts import MANY, Front
from torhaus.gate.aggregate.guests import Guest
from torhaus.gate.aggregate.listening import Listening
from torhaus.gate.aggregate.many import Many
from torhaus.gate.aggregate.routing import routed
from torhaus.gate.described import HELLOS
from torhaus.gate.sessions import Hello
from torhaus.mcp import codes, ladder
from torhaus.mcp.clients import kept_name, sent_name
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
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, NoStream, UpstreamError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session
from torhaus.model.views import View

ROOTS = "notifications/roots/list_changed"
CANCELLED = "notifications/cancelled"
INITIALIZED = "notifications/initialized"
PROGRESS = "notifications/progress"

Local = Coroutine[Any, Any, bytes]
Run = Callable[[Exchange, Work], None]
Reject = Callable[[Exchange, Visitor, str, CallerError], None]


class Guesthouse(msgspec.Struct, frozen=True, gc=False):
    """A known caller in front of many servers."""

    exchange: Exchange
    visitor: Visitor
    view: View
    rules: Rules

    @property
    def caller(self) -> Principal:
        return self.visitor.principal

    def door(self, server: Server) -> Door:
        """The same caller in front of one of them."""
        return Door(self.exchange, self.visitor, server)

    def guest(self, era: Era, client: str, front: Front | None = None, **more: Any) -> Guest:
        """Raises CallerError for headers that are none."""
        exchange = self.exchange
        head = exchange.head
        if head.trace is None:
            head.trace = trace(head)
        return Guest(
            caller=self.caller,
            view=self.view,
            era=era,
            ip=exchange.peer.ip,
            visit=self.door,
            front=front,
            key=self.visitor.key,
            client=client,
            trace=head.trace,
            headers=params(exchange) if era is Era.MODERN else (),
            **more,
        )


class _Standing(msgspec.Struct, frozen=True):
    """Somebody who listens to many servers. `client`: the name his client gives itself."""

    house: Guesthouse
    front: Front
    client: str

    def may(self, server: Server, now: float, rules: Rules) -> bool:
        """Whether he may listen to this one of them now, and here."""
        view = rules.views.get(self.house.view.name)
        if view is None or view.pick(server.name) is None:
            return False
        door = self.house.door(server).used_by(self.client)
        found = door.renewed(rules, now)
        return found is not None and door.barred(*found, now) is None

    def still_valid(self, rules: Rules, now: float) -> bool:
        """Whether he may be here at all; he stops hearing those he may not listen to."""
        self.front.recheck()
        caller = self.house.visitor.renewed(rules)
        if caller is None or (caller.expires is not None and caller.expires <= now):
            return False
        return self.house.view.name in rules.views


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
        if request.method in LISTS:
            await self._local(house, guest, request, self._many.listed(guest, request))
        elif request.method in HELLOS:
            await self._local(house, guest, request, self._many.hello(guest, request))
        elif request.method == "logging/setLevel" and guest.front is not None:
            work = self._many.set_level(guest, guest.front, request)
            await self._local(house, guest, request, work)
        else:
            await self._routed(house, guest, request)

    async def _routed(self, house: Guesthouse, guest: Guest, request: Request) -> None:
        """A request that one server answers. Raises CallerError."""
        found = routed(guest.view, house.rules.servers, request)
        asking = self._many.asking(guest, found)
        changed = _nowhere if guest.front is None else guest.front.changed
        ending = self._many.carry(guest, asking, house.exchange, changed)
        running = {} if guest.front is None else guest.front.session.running
        running[request.id] = house.exchange.cancel
        try:
            await self._serving.serve(house.door(found.server), asking, ending)
        finally:
            running.pop(request.id, None)

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
            text = "the session is not known here: begin a new one with `initialize`"
            raise CallerError(codes.INVALID_REQUEST, text, status=404, id=request_id)
        if head.method != b"POST":
            raise CallerError(codes.INVALID_REQUEST, "there is no session here", status=405)
        text = "the Mcp-Session-Id header is missing: begin with `initialize`"
        raise CallerError(codes.INVALID_REQUEST, text, id=request_id)

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
        standing = _Standing(house, front, front.session.client)
        return standing.may(server, self._gate.clock(), self._many.rules())

    # -- listening -----------------------------------------------------------------------------

    async def _listen(self, house: Guesthouse, session: Session) -> None:
        exchange = house.exchange
        if not is_event_stream(exchange):
            text = "GET opens an event stream: send `Accept: text/event-stream`"
            raise CallerError(codes.INVALID_REQUEST, text, status=406)
        front = self._many.fronts.of(session)
        standing = _Standing(house, front, session.client)
        exchange.on_gone = exchange.on_drain = exchange.cancel
        last = exchange.head.headers.get(b"last-event-id")
        listening = Listening(
            many=self._many,
            guest=house.guest(Era.LEGACY, session.client, front),
            front=front,
            stream=exchange,
            may=lambda server: self._may(house, front, server),
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
