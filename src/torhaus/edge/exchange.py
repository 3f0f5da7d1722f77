"""One HTTP exchange of the MCP lane: the request as it came, and the one answer it gets."""

from collections.abc import Callable
from typing import Protocol

import msgspec

from torhaus.mcp import sse

HIGH_WATER = 256 * 1024

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
    500: b"Internal Server Error",
    502: b"Bad Gateway",
    503: b"Service Unavailable",
}

_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache, no-store\r\n"
    b"x-accel-buffering: no\r\nx-content-type-options: nosniff\r\n"
    b"transfer-encoding: chunked\r\n"
)

Header = tuple[bytes, bytes]


class Peer(msgspec.Struct, frozen=True):
    """The other end of a connection. `public`: neither loopback nor a private network."""

    ip: str
    loopback: bool
    public: bool
    tls: bool


class Wire(Protocol):
    """What an exchange needs of its connection."""

    peer: Peer

    def send(self, data: bytes) -> None: ...
    def date(self) -> bytes: ...
    def full(self) -> bool: ...
    def finished(self, exchange: "Exchange") -> None: ...


class Exchange:
    """Answered exactly once: by `answer`, or by events and `end`. Late calls do nothing.

    `gone`: the client hung up. `on_gone` and `on_drain` are called when that happens, and when the
    gateway asks its streams to end. `touched`: loop time of the last byte written.
    """

    __slots__ = (
        "_wire",
        "body",
        "closing",
        "done",
        "gone",
        "headers",
        "method",
        "on_drain",
        "on_gone",
        "peer",
        "streaming",
        "target",
        "throttle",
        "touched",
        "wants_stream",
    )

    def __init__(
        self, wire: Wire, method: bytes, target: bytes, headers: list[Header], *, closing: bool
    ) -> None:
        self._wire = wire
        self.closing = closing
        self.peer = wire.peer
        self.method = method
        self.target = target
        self.headers = headers
        self.body: bytes | bytearray = b""
        self.done = False
        self.gone = False
        self.streaming = False
        self.wants_stream = True
        self.throttle: Callable[[bool], None] | None = None
        self.on_gone: Callable[[], object] | None = None
        self.on_drain: Callable[[], object] | None = None
        self.touched = 0.0

    # -- the answer ----------------------------------------------------------------------------

    def answer(self, status: int, body: bytes, *headers: Header) -> None:
        """A whole answer; JSON unless a `content-type` is among the headers."""
        if self.done:
            return
        self.done = True
        extra = b"".join(b"%b: %b\r\n" % header for header in headers)
        if body and not any(name == b"content-type" for name, _ in headers):
            extra += b"content-type: application/json\r\n"
        if self.closing:
            extra += b"connection: close\r\n"
        self._wire.send(
            b"HTTP/1.1 %d %b\r\n%b%bcache-control: no-store\r\n"
            b"x-content-type-options: nosniff\r\ncontent-length: %d\r\n\r\n%b"
            % (
                status,
                REASONS.get(status, b"Status"),
                self._wire.date(),
                extra,
                len(body),
                body,
            )
        )
        self._wire.finished(self)

    def opened(self) -> None:
        """Commit to a stream. A comment goes first: some clients wait for the first byte."""
        if self.done or self.streaming:
            return
        self.streaming = True
        close = b"connection: close\r\n" if self.closing else b""
        head = _STREAM_HEAD + self._wire.date() + close + b"\r\n"
        self._wire.send(head + _chunk(sse.COMMENT))

    def event(self, data: bytes, event_id: str | None = None, retry: int | None = None) -> None:
        """Send one event, opening the stream if need be."""
        if self.done or not self.wants_stream:
            return
        if not self.streaming:
            self.streaming = True
            close = b"connection: close\r\n" if self.closing else b""
            self._wire.send(_STREAM_HEAD + self._wire.date() + close + b"\r\n")
        self._wire.send(_chunk(sse.encode(data, event_id, retry)))
        if self._wire.full() and self.throttle is not None:
            self.throttle(True)

    def beat(self) -> None:
        """Keep a quiet stream open through proxies."""
        if self.streaming and not self.done:
            self._wire.send(_chunk(sse.COMMENT))

    def end(self) -> None:
        """End the stream; a request that never streamed ends as an empty one."""
        if self.done:
            return
        self.opened()
        self.done = True
        self._wire.send(b"0\r\n\r\n")
        self._wire.finished(self)

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


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)
