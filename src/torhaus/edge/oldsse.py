"""HTTP+SSE of 2024-11-05, for clients that speak nothing newer: a stream, and where to POST to.

Each message becomes a request to the address of today: everything behind the door is the same.
"""

from collections import Counter
from collections.abc import Callable
from urllib.parse import parse_qs

from torhaus.edge.exchange import Exchange
from torhaus.edge.heads import Head
from torhaus.edge.oldstream import Inside, OldStream, Place
from torhaus.edge.reading import is_event_stream
from torhaus.edge.serving import Stays
from torhaus.edge.visitor import Visitor
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, Request, error_object, error_text, read
from torhaus.mcp.seal import SealError, binding
from torhaus.mcp.versions import VERSION_KEY
from torhaus.model.rules import Rules

ENDING = b"/sse"
SESSION = "session_id"
MOST = 64
"""Streams that one caller may have open."""
MOST_RUNNING = 128
"""Messages of one stream that may be under way at once."""
LIFETIME = 30 * 86400.0
_MODERN = VERSION_KEY.encode()


class OldSse:
    """Owned by one event loop. `named` returns the server that a head's address names.

    `reject` answers a request that never became a call, and leaves its record.
    """

    def __init__(
        self,
        inside: Inside,
        named: Callable[[Head], str],
        reject: Callable[[Exchange, Visitor, str, CallerError], None],
        open_streams: dict[Exchange, Stays],
    ) -> None:
        self._inside = inside
        self._gate = inside.gate
        self._named = named
        self._reject = reject
        self._open = open_streams
        self._streams: dict[str, OldStream] = {}
        self._held: Counter[str] = Counter()

    def takes(self, exchange: Exchange, rules: Rules, visitor: Visitor) -> bool:
        """Whether the request is to such an address, and taken care of."""
        target, _, query = exchange.head.target.partition(b"?")
        if not target.endswith(ENDING):
            return False
        path = target.removesuffix(ENDING)
        within = Head(path)
        within.headers = exchange.head.headers
        place = Place(self._named(within), path)
        if place.name not in rules.servers and place.name not in rules.views:
            return False
        try:
            if exchange.head.method == b"GET":
                self._begin(exchange, rules, visitor, place)
            elif exchange.head.method == b"POST":
                self._take(exchange, self._stream(query, visitor, place))
            else:
                raise CallerError(codes.INVALID_REQUEST, "only GET and POST", status=405)  # noqa: TRY301 -- as all others
        except CallerError as error:
            self._reject(exchange, visitor, place.name, error)
        return True

    # -- GET -----------------------------------------------------------------------------------

    def _begin(self, exchange: Exchange, rules: Rules, visitor: Visitor, place: Place) -> None:
        if not is_event_stream(exchange):
            text = "GET opens an event stream: send `Accept: text/event-stream`"
            raise CallerError(codes.INVALID_REQUEST, text, status=406)
        caller = visitor.principal.id
        if self._held[caller] >= MOST:
            text = f"you have {MOST} streams open here: close one"
            raise CallerError(codes.LIMITED, text, status=429)
        number = self._gate.ids()
        stream = OldStream(exchange, visitor, place, self._inside, self._left(number))
        if not stream.still_valid(rules, self._gate.clock()):
            text = f"there is nothing at {place.name or 'this address'} that you may use"
            raise CallerError(codes.UNKNOWN_SERVER, text, status=404)
        self._streams[number] = stream
        self._held[caller] += 1
        self._open[exchange] = stream
        until = self._gate.clock() + LIFETIME
        token = self._gate.sealer.seal(number.encode(), _bound(visitor, place), until)
        stream.open(b"%b%b?%b=%b" % (place.path, ENDING, SESSION.encode(), token.encode()))

    def _left(self, number: str) -> Callable[[OldStream], None]:
        def left(stream: OldStream) -> None:
            del self._streams[number]
            self._open.pop(stream.exchange, None)
            caller = stream.visitor.principal.id
            self._held[caller] -= 1
            if not self._held[caller]:
                del self._held[caller]

        return left

    # -- POST ----------------------------------------------------------------------------------

    def _stream(self, query: bytes, visitor: Visitor, place: Place) -> OldStream:
        """The stream that a POST belongs to: of this caller, at this place. Raises CallerError."""
        told = parse_qs(query.decode("latin-1")).get(SESSION)
        if told is None:
            text = "open a stream with GET and POST to the address that it names"
            raise CallerError(codes.INVALID_REQUEST, text, status=405)
        try:
            bound, now = _bound(visitor, place), self._gate.clock()
            stream = self._streams.get(self._gate.sealer.unseal(told[0], bound, now).decode())
        except SealError:
            stream = None
        if stream is None:
            text = "that stream is not open: begin again with GET"
            raise CallerError(codes.INVALID_REQUEST, text, status=404)
        if stream.exchange.wire.full() or len(stream.voices) >= MOST_RUNNING or stream.draining:
            text = "too much is under way on this stream: read it, and send this again"
            raise CallerError(codes.INVALID_REQUEST, text, status=503)
        return stream

    def _take(self, exchange: Exchange, stream: OldStream) -> None:
        if _MODERN in exchange.body and _is_modern(stream, bytes(exchange.body)):
            exchange.answer(202, b"")
            return
        refusal = stream.take(exchange.head, exchange.body).refusal
        if refusal is None:
            exchange.answer(202, b"")
        else:
            exchange.answer(*refusal)


def _bound(visitor: Visitor, place: Place) -> bytes:
    return binding("sse", place.name, visitor.principal.id)


def _is_modern(stream: OldStream, body: bytes) -> bool:
    """Answer a request of 2026-07-28 as a server does that knows sessions only.

    Clients of both eras ask first and begin a session when they hear it. Raises CallerError.
    """
    message = read(body)
    meta = message.params.get("_meta") if isinstance(message, Request) else None
    if not isinstance(message, Request) or not isinstance(meta, dict) or VERSION_KEY not in meta:
        return False
    text = "this address knows sessions only: begin one with `initialize`"
    stream.say(error_text(message.id, error_object(codes.METHOD_NOT_FOUND, text)))
    return True
