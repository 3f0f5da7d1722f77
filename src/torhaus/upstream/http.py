"""Our own pooled HTTP/1.1 client: keep-alive, TLS, streaming, limits (RFC 9112).

A general client costs several times the CPU of everything else a call needs. This one does what a
relay needs: a request in one write, callbacks for what comes back, and nothing it could guess.
Redirects, proxies and compressed answers are not followed or undone; they end in a clear error.
"""

import asyncio
import re
import ssl
from collections import deque
from typing import Protocol, cast
from urllib.parse import urlsplit

import httptools
import msgspec

from torhaus.model.ports import UpstreamError

IDLE = 4.0
"""Seconds an idle connection is trusted when the server names no `Keep-Alive: timeout`."""
MAX_HEADER_BYTES = 64 * 1024
SWEEP = 0.5


# A head that changes nothing about how its body is read. What is not listed here, and whatever
# stands twice that must not, is the parser's business.
_PLAIN = re.compile(
    rb"(?!.*\r\ncontent-length:.*\r\ncontent-length:)"
    rb"HTTP/1\.1 200 [^\r\n]*\r\n"
    rb"(?:content-length:[ \t]*([0-9]{1,8})\r\n"
    rb"|content-type:[ \t]*application/json(?:;[ \t]*charset=utf-8)?\r\n"
    rb"|connection:[ \t]*keep-alive\r\n"
    rb"|(?:date|server|cache-control|vary|mcp-session-id|x-[a-z0-9-]+):[^\r\n]*\r\n)++",
    re.IGNORECASE | re.DOTALL,
)
_JSON = {b"content-type": b"application/json"}


class ConnectError(UpstreamError):
    """No connection, so nothing was sent."""


class BrokenError(UpstreamError):
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


class Exchange(Protocol):
    """One request's other half: called back as the response arrives.

    `plain`: nothing but the content type of a whole JSON answer matters to it.
    """

    plain: bool

    def head(self, status: int, headers: dict[bytes, bytes]) -> None: ...
    def data(self, chunk: bytes) -> None: ...
    def end(self) -> None: ...
    def fail(self, error: UpstreamError) -> None: ...


class Connection(asyncio.Protocol):
    """One connection of a pool. Carries one exchange at a time."""

    __slots__ = (
        "_answered",
        "_feeding",
        "_header_bytes",
        "_headers",
        "_in_head",
        "_parser",
        "_unread",
        "deadline",
        "exchange",
        "idle_until",
        "patience",
        "pool",
        "transport",
    )

    def __init__(self, pool: "Pool") -> None:
        self.pool = pool
        self.exchange: Exchange | None = None
        self.transport = cast(asyncio.Transport, None)
        self._parser: httptools.HttpResponseParser | None = None
        self._headers: dict[bytes, bytes] = {}
        self._header_bytes = 0
        self._in_head = False
        self._feeding = 0
        self._unread = 0
        self._answered = False
        self.deadline: float | None = None
        self.patience: float | None = None
        self.idle_until = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._parser = httptools.HttpResponseParser(self)

    def start(self, data: bytes, exchange: Exchange, patience: float | None) -> None:
        self.exchange = exchange
        self._answered = False
        self.patience = patience
        self.deadline = None if patience is None else self.pool.now() + patience
        self.transport.write(data)

    def data_received(self, data: bytes) -> None:
        parser = self._parser
        if parser is None:
            return
        if not self._answered and self._whole(data):
            return
        self._answered = True
        if self.patience is not None:
            self.deadline = self.pool.now() + self.patience
        self._feeding = len(data)
        try:
            parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            cause = error.__context__
            if not isinstance(cause, UpstreamError):
                cause = UpstreamError("it sent an answer we cannot read")
            self.give_up(cause)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self.give_up(UpstreamError("it does not speak HTTP/1.1 properly"))
        if self._in_head:
            # The parser collects one header, or trailer, of any size before it reports it.
            self._unread += len(data)
            if self._unread > MAX_HEADER_BYTES:
                self.give_up(UpstreamError("its response headers are too large"))

    def _whole(self, data: bytes) -> bool:
        """Take an answer that came in one piece and plainly, past the parser.

        Most answers to calls are exactly this: 200, JSON, a length, nothing unusual in the head.
        Whatever else it is, the parser decides.
        """
        exchange = self.exchange
        end = data.find(b"\r\n\r\n")
        if exchange is None or not exchange.plain or not 0 < end < 2048:
            return False
        found = _PLAIN.fullmatch(data, 0, end + 2)
        if found is None or found[1] is None or len(data) != end + 4 + int(found[1]):
            return False
        self.exchange = self.deadline = None
        self.pool.give_back(self, None)
        exchange.head(200, _JSON)
        exchange.data(data[end + 4 :])
        exchange.end()
        return True

    def on_message_begin(self) -> None:
        self._headers = {}
        self._header_bytes = 0
        self._in_head = True
        self._unread = -self._feeding

    def on_chunk_header(self) -> None:
        """What follows is data or trailers."""
        self._in_head = True
        self._unread = -self._feeding

    def on_header(self, name: bytes, value: bytes) -> None:
        self._header_bytes += len(name) + len(value)
        if self._header_bytes > MAX_HEADER_BYTES:
            raise UpstreamError("its response headers are too large")
        self._headers[name.lower()] = value

    def on_headers_complete(self) -> None:
        self._in_head = False
        status = self._parser.get_status_code() if self._parser is not None else 0
        if status >= 200 and self.exchange is not None:
            self.exchange.head(status, self._headers)

    def on_body(self, body: bytes) -> None:
        self._in_head = False
        if self.exchange is not None:
            self.exchange.data(body)

    def on_message_complete(self) -> None:
        self._in_head = False
        parser = self._parser
        if parser is None or parser.get_status_code() < 200:
            return
        exchange, self.exchange = self.exchange, None
        self.deadline = None
        if exchange is None or not parser.should_keep_alive():
            self.transport.close()
        else:
            self.pool.give_back(self, self._headers.get(b"keep-alive"))
        if exchange is not None:
            exchange.end()

    def give_up(self, error: UpstreamError) -> None:
        """End the exchange with an error and the connection with it."""
        exchange, self.exchange = self.exchange, None
        self.transport.abort()
        if exchange is not None:
            exchange.fail(error)

    def connection_lost(self, _exc: Exception | None) -> None:
        parser, self._parser = self._parser, None
        self.pool.forget(self)
        exchange, self.exchange = self.exchange, None
        if exchange is None or parser is None:
            return
        exchange.fail(BrokenError("it closed the connection", answered=self._answered))


class Pool:
    """Connections to one origin, the last used first. Owned by one event loop.

    `limit`: most connections at once; further requests wait their turn.
    """

    def __init__(
        self,
        target: Target,
        *,
        connect_timeout: float,
        ca_file: str | None = None,
        limit: int = 512,
    ) -> None:
        self.target = target
        self._connect_timeout = connect_timeout
        self._loop = asyncio.get_running_loop()
        self.now = self._loop.time
        self._tls = ssl.create_default_context(cafile=ca_file) if target.tls else None
        self._limit = limit
        self._idle: list[Connection] = []
        self._all: set[Connection] = set()
        self._opening = 0
        self._waiting: deque[asyncio.Future[None]] = deque()
        self._sweeper: asyncio.TimerHandle | None = None
        self._closed = False

    def idle(self) -> Connection | None:
        """A connection ready for use, or None. Costs no wait."""
        now = self.now()
        while self._idle:
            connection = self._idle.pop()
            if connection.transport.is_closing():
                continue
            if connection.idle_until > now:
                return connection
            connection.transport.close()
        return None

    async def acquire(self) -> Connection:
        """A connection, new or kept. Raises ConnectError."""
        end = self.now() + self._connect_timeout
        while True:
            connection = self.idle()
            if connection is not None:
                return connection
            if len(self._all) + self._opening < self._limit:
                # A task of its own: a call's drive has none, and the timeout asks for one.
                return await self._loop.create_task(self._open())
            turn = self._loop.create_future()
            self._waiting.append(turn)
            alarm = self._loop.call_at(end, _ring, turn)
            try:
                await turn
            finally:
                alarm.cancel()
                if turn in self._waiting:
                    self._waiting.remove(turn)

    async def _open(self) -> Connection:
        if self._closed:
            raise ConnectError("the gateway is shutting down")
        where = self.target
        self._opening += 1
        try:
            async with asyncio.timeout(self._connect_timeout):
                _, connection = await self._loop.create_connection(
                    lambda: Connection(self),
                    where.host,
                    where.port,
                    ssl=self._tls,
                    server_hostname=where.host if where.tls else None,
                )
        except TimeoutError as error:
            raise ConnectError(
                f"no connection to {where.authority} within {self._connect_timeout:g} s"
            ) from error
        except ssl.SSLError as error:
            reason = getattr(error, "verify_message", "") or error.reason or "handshake failed"
            raise ConnectError(f"TLS with {where.authority} failed: {reason}") from error
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise ConnectError(f"no connection to {where.authority}: {reason}") from error
        finally:
            self._opening -= 1
        self._all.add(connection)
        if self._sweeper is None:
            self._sweeper = self._loop.call_later(SWEEP, self._sweep)
        return connection

    def give_back(self, connection: Connection, keep_alive: bytes | None) -> None:
        connection.idle_until = self.now() + _trust(keep_alive)
        self._idle.append(connection)
        self._next()

    def forget(self, connection: Connection) -> None:
        self._all.discard(connection)
        self._next()

    def _next(self) -> None:
        while self._waiting:
            turn = self._waiting.popleft()
            if not turn.done():
                turn.set_result(None)
                return

    def _sweep(self) -> None:
        """One timer for all: silent exchanges time out, idle connections are let go."""
        self._sweeper = None
        now = self.now()
        for connection in list(self._all):
            if connection.deadline is not None and connection.deadline < now:
                waited = connection.patience or 0.0
                connection.give_up(UpstreamError(f"it did not answer within {waited:g} s"))
        stale = [each for each in self._idle if each.idle_until <= now]
        for connection in stale:
            self._idle.remove(connection)
            connection.transport.close()
        if self._all and not self._closed:
            self._sweeper = self._loop.call_later(SWEEP, self._sweep)

    def close(self) -> None:
        self._closed = True
        if self._sweeper is not None:
            self._sweeper.cancel()
            self._sweeper = None
        for connection in list(self._all):
            connection.give_up(UpstreamError("the gateway is shutting down"))
        for turn in self._waiting:
            turn.cancel()


def _ring(turn: "asyncio.Future[None]") -> None:
    if not turn.done():
        turn.set_exception(ConnectError("all connections to it are in use"))


def _trust(keep_alive: bytes | None) -> float:
    """Seconds to keep an idle connection: a second less than the server says it will."""
    if keep_alive is None:
        return IDLE
    for part in keep_alive.split(b","):
        name, _, value = part.strip().partition(b"=")
        if name.lower() == b"timeout" and value.isdigit():
            return min(float(value[:6]), 120.0) - 1.0
    return IDLE
