"""One HTTP exchange of the MCP lane: the request as it came, and the one answer it gets."""

from collections.abc import Callable
from functools import lru_cache
from typing import Protocol

from torhaus.edge.heads import Head, Heads
from torhaus.edge.peer import Peer
from torhaus.gate.calls import Asking
from torhaus.mcp import sse
from torhaus.mcp.message import result_text

HIGH_WATER = 256 * 1024

Header = tuple[bytes, bytes]


class Wire(Protocol):
    """What an exchange needs of its connection."""

    peer: Peer

    def send(self, data: bytes) -> None: ...
    def date(self) -> bytes: ...
    def full(self) -> bool: ...
    def finished(self, exchange: "Exchange") -> None: ...
    def abort(self) -> None: ...


class Entrance(Protocol):
    """What a connection needs of the edge."""

    heads: Heads

    def handle(self, exchange: "Exchange") -> None:
        """Take a whole request. Never raises."""
        ...

    def screen(self, exchange: "Exchange") -> None:
        """Answer a request whose sender is turned away, although its body is still to come."""
        ...


REASONS = {
    200: b"OK",
    202: b"Accepted",
    204: b"No Content",
    400: b"Bad Request",
    401: b"Unauthorized",
    403: b"Forbidden",
    404: b"Not Found",
    405: b"Method Not Allowed",
    406: b"Not Acceptable",
    413: b"Content Too Large",
    415: b"Unsupported Media Type",
    421: b"Misdirected Request",
    429: b"Too Many Requests",
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
}

_SAFE = b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n"

_CONTROLS = bytes((*range(32), 127))
_INERT = bytes.maketrans(_CONTROLS, b" " * len(_CONTROLS))
"""A line end in a value would begin another header, or the body (RFC 9110 section 5.5)."""

_LINES = {
    status: b"HTTP/1.1 %d %b\r\n%b" % (status, reason, _SAFE) for status, reason in REASONS.items()
}

_OK = _LINES[200]
_LENGTH = b"content-type: application/json\r\ncontent-length: "
_OPENING, _RESULT = b'\r\n\r\n{"jsonrpc":"2.0","id":', b',"result":'
_ENVELOPE = len(result_text(b"", b""))
_digits = lru_cache(maxsize=4096)(b"%d".__mod__)  # a third of the price

_STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache, no-store\r\n"
    b"x-accel-buffering: no\r\nx-content-type-options: nosniff\r\n"
    b"%b%b%b%b\r\n"
)


class Exchange:
    """Answered exactly once: by `answer`, or by events and `end`. Late calls do nothing.

    `chunked`: how a stream travels; HTTP/1.0 knows no chunks, there it ends with the connection.
    `cors`: header lines that let a page of an allowed origin read the answer.
    `screened`: whether its sender was looked at before its body had come.
    `on_gone` is called when the client hangs up, `on_drain` when we want the stream to end.
    `takes_stream`: whether the client takes an event stream for an answer. `cancel` stops what
    works on the answer. `about`: the call it carries, while that is under way.
    """

    __slots__ = (
        "about",
        "body",
        "cancel",
        "chunked",
        "closing",
        "cors",
        "done",
        "gone",
        "head",
        "on_drain",
        "on_gone",
        "peer",
        "screened",
        "streaming",
        "takes_stream",
        "throttle",
        "wire",
    )

    def __init__(self, wire: Wire, head: Head) -> None:
        self.wire = wire
        self.peer = wire.peer
        self.head = head
        self.body: bytes | bytearray = b""
        self.chunked = True
        self.closing = False
        self.cors = b""
        self.done = False
        self.gone = False
        self.screened = False
        self.streaming = False
        self.takes_stream = True
        self.throttle: Callable[[bool], None] | None = None
        self.about: Asking | None = None
        self.cancel: Callable[[], object] = _nothing
        self.on_gone: Callable[[], object] | None = None
        self.on_drain: Callable[[], object] | None = None

    # -- the answer ----------------------------------------------------------------------------

    def json(self, status: int, body: bytes) -> None:
        """A whole answer in JSON: the end of nearly every call."""
        if self.done:
            return
        if self.closing or self.cors:
            self.answer(status, body)
            return
        self.done = True
        wire = self.wire
        wire.send(
            b"%b%bcontent-type: application/json\r\ncontent-length: %d\r\n\r\n%b"
            % (_LINES[status], wire.date(), len(body), body)
        )
        wire.finished(self)

    def result(self, id_text: bytes, result: bytes) -> None:
        """`json` with the result of the request of this id. Results are long: it is copied once."""
        if self.done or self.closing or self.cors:
            self.json(200, result_text(id_text, result))
            return
        self.done = True
        wire = self.wire
        size = _ENVELOPE + len(id_text) + len(result)
        # Joining costs half of what `%` does.
        parts = (_OK, wire.date(), _LENGTH, _digits(size), _OPENING, id_text, _RESULT, result, b"}")
        wire.send(b"".join(parts))
        wire.finished(self)

    def answer(self, status: int, body: bytes, *headers: Header) -> None:
        """A whole answer; JSON where there is a body."""
        if self.done:
            return
        self.done = True
        extra = b"".join(b"%b: %b\r\n" % (name, value.translate(_INERT)) for name, value in headers)
        if body:
            extra += b"content-type: application/json\r\n"
        extra += self.cors
        if self.closing:
            extra += b"connection: close\r\n"
        shown = b"" if self.head.method == b"HEAD" else body  # RFC 9110 9.3.2
        self.wire.send(
            b"%b%b%bcontent-length: %d\r\n\r\n%b"
            % (_LINES[status], self.wire.date(), extra, len(body), shown)
        )
        self.wire.finished(self)

    def opened(self) -> None:
        """Commit to a stream, if the client takes one."""
        if self.takes_stream:
            self._open()

    def _open(self) -> None:
        # A comment goes first: some clients wait for the first byte.
        if not self.done and not self.streaming:
            self._begin()
            self._write(sse.COMMENT)

    def _begin(self) -> None:
        self.streaming = True
        close = b"connection: close\r\n" if self.closing else b""
        chunked = b"transfer-encoding: chunked\r\n" if self.chunked else b""
        self.wire.send(_STREAM % (self.wire.date(), self.cors, chunked, close))

    def _write(self, data: bytes) -> None:
        self.wire.send(b"%x\r\n%b\r\n" % (len(data), data) if self.chunked else data)

    def tie(self) -> None:
        """From now on a client that hangs up ends the work on its answer."""
        self.on_gone = self.cancel
        if self.gone:
            self.cancel()

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        """Send one event, opening the stream if need be."""
        if self.done or not self.takes_stream:
            return
        if not self.streaming:
            self._begin()
        self._write(sse.encode(data, event_id, retry))
        if self.throttle is not None and self.wire.full():
            self.throttle(True)

    def write(self, text: bytes) -> None:
        """Send a part of the stream as it is, opening it if need be."""
        if self.done:
            return
        if not self.streaming:
            self._begin()
        self._write(text)

    def beat(self) -> None:
        """Keep a quiet stream open through proxies."""
        if self.streaming and not self.done:
            self._write(sse.COMMENT)

    def end(self) -> None:
        """End the stream; a request that never streamed ends as an empty one."""
        if self.done:
            return
        self._open()
        self.done = True
        if self.chunked:
            self.wire.send(b"0\r\n\r\n")
        self.wire.finished(self)

    def detached(self) -> None:
        """The stream ends without the answer, which comes on one that the client resumes."""
        self.end()

    # -- what the connection reports -----------------------------------------------------------

    def lost(self) -> None:
        """The client hung up."""
        self.gone = True
        self.done = True
        if self.throttle is not None:
            self.throttle(False)
        if self.on_gone is not None:
            self.on_gone()

    def writable(self) -> None:
        """The connection can take more again."""
        if self.throttle is not None:
            self.throttle(False)


def _nothing() -> None:
    """There is nothing to stop yet."""
