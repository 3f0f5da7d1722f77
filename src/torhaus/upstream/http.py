"""Our own HTTP/1.1 client: connections that carry one exchange after another (RFC 9112).

A general client costs several times the CPU of everything else a call needs. This one does what a
relay needs: a request in one write, callbacks for what comes back, and nothing it could guess.
Redirects, proxies and compressed answers are not followed or undone; they end in a clear error.
"""

import asyncio
import socket
from collections.abc import Callable
from typing import Protocol, cast
from urllib.parse import urlsplit

import httptools
import msgspec

from torhaus.model.ports import UpstreamError
from torhaus.upstream.faults import FaultError
from torhaus.upstream.plainheads import PlainHeads

MAX_HEADER_BYTES = 64 * 1024
"""Also the most bytes of framing (chunk sizes, trailers) between two pieces of a body."""

JSON = {b"content-type": b"application/json"}
UNREADABLE = "it sent an answer we cannot read"


class ConnectError(FaultError):
    """No connection, so nothing was sent."""


class BrokenError(FaultError):
    """The connection ended before the answer did. `answered`: whether any byte had come."""

    def __init__(self, message: str, *, answered: bool) -> None:
        super().__init__(message)
        self.answered = answered


class Target(msgspec.Struct, frozen=True):
    """Where requests go. `head` is everything of a request head that never changes."""

    host: str
    port: int
    tls: bool
    path: str
    authority: str


def target(url: str) -> Target:
    """Raises ValueError for anything but an absolute http(s) URL without credentials."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"not an http(s) URL: {url!r}")
    if parts.username is not None:
        raise ValueError("credentials do not belong into a URL: use `auth`")
    tls = parts.scheme == "https"
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    host = parts.hostname
    authority = f"[{host}]" if ":" in host else host
    port = parts.port or (443 if tls else 80)
    if parts.port is not None:
        authority = f"{authority}:{port}"
    if not (path.isascii() and authority.isascii()) or any(c <= " " for c in path + authority):
        raise ValueError("a URL must be percent-encoded ASCII")
    return Target(host, port, tls, path, authority)


def bare(url: str) -> str:
    """What proofs name: scheme, host, port and path, as requests have them (RFC 9449, 4.2)."""
    where = target(url)
    path = where.path.partition("?")[0]
    return f"{'https' if where.tls else 'http'}://{where.authority}{path}"


class Exchange(Protocol):
    """One request's other half: called back as the response arrives.

    `plain`: nothing but the content type of a whole JSON answer matters to it.
    """

    __slots__ = ()
    plain: bool

    def head(self, status: int, headers: dict[bytes, bytes]) -> None: ...
    def data(self, chunk: bytes) -> None: ...
    def end(self) -> None: ...
    def fail(self, error: UpstreamError) -> None: ...

    def whole(self, data: bytes, start: int) -> None:
        """The other three at once: JSON with status 200, fewer than ten million octets.

        The body begins at `start` of `data` and ends with it.
        """
        self.head(200, JSON)
        self.data(data[start:])
        self.end()


class Owner(Protocol):
    """Whom a connection belongs to: `torhaus.upstream.pool`."""

    now: Callable[[], float]
    heads: PlainHeads

    def give_back(self, connection: "Connection", keep_alive: bytes | None) -> None: ...
    def forget(self, connection: "Connection") -> None: ...


class Connection(asyncio.Protocol):
    """One connection of a pool. Carries one exchange at a time."""

    __slots__ = (
        "_answered",
        "_begun",
        "_headers",
        "_parser",
        "_unheard",
        "deadline",
        "exchange",
        "idle_until",
        "patience",
        "pool",
        "transport",
    )

    def __init__(self, pool: Owner) -> None:
        self.pool = pool
        self.exchange: Exchange | None = None
        self.transport = cast(asyncio.Transport, None)
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: dict[bytes, bytes] = {}
        self._begun = False
        self._unheard = 0
        self._answered = False
        self.deadline: float | None = None
        self.patience: float | None = None
        self.idle_until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpResponseParser(self)
        _notice_silence(transport.get_extra_info("socket"))

    def start(self, data: bytes, exchange: Exchange, patience: float | None) -> None:
        self.exchange = exchange
        self._answered = False
        self.patience = patience
        self.deadline = None if patience is None else self.pool.now() + patience
        self.transport.write(data)

    def linger(self, seconds: float) -> None:
        """Its answer has come: give the rest of the stream this long, whatever it says."""
        self.patience = None
        self.deadline = self.pool.now() + seconds

    def hold(self) -> None:
        """Read no more for now. Its reader downstream is slow, so silence is not its fault."""
        self.deadline = None
        self.transport.pause_reading()

    def go_on(self) -> None:
        if self.patience is not None:
            self.deadline = self.pool.now() + self.patience
        self.transport.resume_reading()

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            return
        if not self._answered and self._whole(data):
            return
        self._answered = True
        if self.patience is not None:
            self.deadline = self.pool.now() + self.patience
        # The parser keeps a field until its line ends, however long it gets.
        self._unheard += len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, UpstreamError):
                cause = FaultError(UNREADABLE)
            self.give_up(cause)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.give_up(FaultError("it does not speak HTTP/1.1 properly"))
        else:
            if self._unheard > MAX_HEADER_BYTES:
                self.give_up(FaultError("its response headers are too large"))

    def _whole(self, data: bytes) -> bool:
        """Take an answer that came in one piece and plainly, past the parser.

        Most answers to calls are exactly this: 200, JSON, a length, nothing unusual in the head.
        Whatever else it is, the parser decides.
        """
        exchange, pool = self.exchange, self.pool
        if exchange is None or not exchange.plain:
            return False
        start = pool.heads.body(data)
        if not start:
            return False
        self.exchange = self.deadline = None
        pool.give_back(self, None)
        try:
            exchange.whole(data, start)
        except Exception:  # noqa: BLE001 -- as the parser does; else its caller would wait for ever
            exchange.fail(FaultError(UNREADABLE))
        return True

    def on_message_begin(self) -> None:
        self._headers = {}
        self._begun = False
        if self.exchange is None:
            # Nobody asked. Were it kept, the next caller would get this for an answer.
            self.transport.abort()

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._begun:  # trailers mean nothing here (RFC 9110 section 6.5.1)
            return
        name, value = name.lower(), value.strip()  # the parser leaves spaces at the end
        if name == b"www-authenticate" and name in self._headers:
            value = b"%b, %b" % (self._headers[name], value)  # a line for each scheme
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code() if self._parser is not None else 0
        if status < 200 or self.exchange is None:
            return
        headers = self._headers
        if self._unheard > MAX_HEADER_BYTES and _size(headers) > MAX_HEADER_BYTES:
            raise FaultError("its response headers are too large")
        self._unheard = 0
        self._begun = True
        self.exchange.head(status, headers)

    def on_body(self, body: bytes) -> None:
        self._unheard = 0
        if self.exchange is not None:
            self.exchange.data(body)

    def on_message_complete(self) -> None:
        parser = self._parser
        if parser is None or parser.get_status_code() < 200:
            return
        self._unheard = 0
        self._begun = False
        exchange, self.exchange = self.exchange, None
        self.deadline = self.patience = None
        if exchange is None or not parser.should_keep_alive() or self._refused_early(parser):
            self.transport.close()
        else:
            self.pool.give_back(self, self._headers.get(b"keep-alive"))
        if exchange is not None:
            exchange.end()

    def _refused_early(self, parser: "httptools.HttpResponseParser") -> bool:
        """Whether it refused a request that it has not read: the rest would be in the way."""
        return parser.get_status_code() >= 400 and self.transport.get_write_buffer_size() > 0

    def give_up(self, error: UpstreamError) -> None:
        """End the exchange with an error and the connection with it."""
        exchange, self.exchange = self.exchange, None
        self.transport.abort()
        if exchange is not None:
            exchange.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        parser, self._parser = self._parser, None
        self.pool.forget(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None or parser is None:
            return
        if self._begun and exc is None and not _framed(self._headers):
            exchange.end()  # such an answer ends with its connection (RFC 9112 section 6.3)
        else:
            exchange.fail(BrokenError("it closed the connection", answered=self._answered))


def refuse_compressed(headers: dict[bytes, bytes]) -> None:
    """Raises UpstreamError for an encoding that was not asked for."""
    if headers.get(b"content-encoding", b"identity").lower() != b"identity":
        raise FaultError("it sent a compressed answer although we did not accept one")


def _size(headers: dict[bytes, bytes]) -> int:
    return sum(len(name) + len(value) for name, value in headers.items())


def _framed(headers: dict[bytes, bytes]) -> bool:
    """Whether an answer says by itself where it ends."""
    return b"content-length" in headers or b"transfer-encoding" in headers


def _notice_silence(sock: socket.socket | None) -> None:
    """A server that vanishes sends no FIN, and a listening stream may be silent for hours."""
    if sock is None:
        return
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
