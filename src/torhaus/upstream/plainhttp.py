"""GET an event stream, POST a body: what the HTTP+SSE transport needs of our client."""

import asyncio
from collections.abc import Callable

from torhaus.mcp.sse import Event, SseParser, TooLargeError
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import Prover
from torhaus.upstream.again import NONCES
from torhaus.upstream.carrying import proved
from torhaus.upstream.exchange import MAX_BODY, Reply
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.http import Connection, Exchange, Target, bare, refuse_compressed, target
from torhaus.upstream.pool import Pool, trust
from torhaus.upstream.replies import unexpected
from torhaus.upstream.requests import fields

Headers = tuple[tuple[str, str], ...]


class EventStream(Exchange):
    """An open event stream. Also the exchange that its connection reports to."""

    plain = False

    def __init__(
        self,
        connection: Connection,
        on_event: Callable[[Event], None],
        on_close: Callable[[Exception | None], None],
    ) -> None:
        self._connection = connection
        self._on_event = on_event
        self._on_close = on_close
        self._parser = SseParser(MAX_BODY)
        self._over = False
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        refuse_compressed(headers)
        self.status, self.headers = status, headers
        if status == 200 and b"text/event-stream" in headers.get(b"content-type", b"").lower():
            if not self.opened.done():
                self.opened.set_result(None)
            return
        self.fail(unexpected(Reply(status, headers)))
        self._connection.transport.abort()

    def data(self, chunk: bytes) -> None:
        try:
            events = self._parser.feed(chunk)
        except TooLargeError as error:
            raise UpstreamError(f"an event is larger than {MAX_BODY >> 20} MiB") from error
        for event in events:
            self._on_event(event)

    def end(self) -> None:
        self._close(None)

    def fail(self, error: UpstreamError) -> None:
        if not self.opened.done():
            self._over = True
            self.opened.set_exception(error)
        self._close(error)

    def _close(self, error: Exception | None) -> None:
        if not self._over:
            self._over = True
            self._on_close(error)

    def pause(self) -> None:
        if not self._connection.transport.is_closing():
            self._connection.transport.pause_reading()

    def resume(self) -> None:
        if not self._connection.transport.is_closing():
            self._connection.transport.resume_reading()

    async def close(self) -> None:
        """End it; `on_close` is not called for an end of our own."""
        self._over = True
        if not self.opened.done():
            self.opened.cancel()
        self._connection.transport.abort()


class _Posted(Exchange):
    """The exchange of one POST."""

    plain = False

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[bytes, bytes] = {}
        self.body = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        refuse_compressed(headers)
        self.status, self.headers = status, headers

    def data(self, chunk: bytes) -> None:
        self.body += chunk
        if len(self.body) > MAX_BODY:
            raise UpstreamError("its answer is too large")

    def end(self) -> None:
        if not self.done.done():
            self.done.set_result(None)

    def fail(self, error: UpstreamError) -> None:
        if not self.done.done():
            self.done.set_exception(error)


class PlainHttp:
    """Requests to the origin of one URL. `timeout`: seconds a POST may take.

    `prover`: whose proof each of them carries.
    """

    def __init__(
        self,
        url: str,
        *,
        connect_timeout: float,
        timeout: float,
        ca_file: str | None,
        prover: Prover | None = None,
    ) -> None:
        where = target(url)
        self._timeout = timeout
        self._prover = prover
        tls = trust(where, ca_file)
        self._posts = Pool(where, connect_timeout=connect_timeout, tls=tls)
        self._streams = Pool(where, connect_timeout=connect_timeout, tls=tls, limit=8192)

    async def stream(
        self,
        url: str,
        headers: Headers,
        on_event: Callable[[Event], None],
        on_close: Callable[[Exception | None], None],
    ) -> EventStream:
        left, prover = NONCES, self._prover
        while True:
            connection = await self._streams.fresh()
            stream = EventStream(connection, on_event, on_close)
            head = _head("GET", target(url), headers, "accept: text/event-stream\r\n")
            connection.start(self._proved(url, head + b"\r\n"), stream, None)
            try:
                await stream.opened
            except BaseException as error:
                connection.transport.abort()
                refused = isinstance(error, DeniedError) and prover is not None
                if not (refused and self._wanted(stream.status, stream.headers) and left):
                    raise
                left -= 1
            else:
                self._wanted(stream.status, stream.headers)
                return stream

    async def post(self, url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        more = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        data = _head("POST", target(url), headers, more) + b"\r\n" + body
        left, connection = NONCES, self._posts.idle()
        while True:
            connection = connection or await self._posts.fresh()
            posted = await self._post(connection, url, data)
            if not self._wanted(posted.status, posted.headers) or not left:
                return posted.status, bytes(posted.body)
            left, connection = left - 1, None

    async def _post(self, connection: Connection, url: str, data: bytes) -> _Posted:
        posted = _Posted()
        connection.start(self._proved(url, data), posted, self._timeout)
        try:
            await posted.done
        finally:
            if connection.exchange is posted:
                connection.transport.abort()
        return posted

    def _proved(self, url: str, data: bytes) -> bytes:
        return data if self._prover is None else proved(self._prover, bare(url), data)

    def _wanted(self, status: int, headers: dict[bytes, bytes]) -> bool:
        return self._prover is not None and self._prover.wanted(status, headers)

    def close(self) -> None:
        self._posts.close()
        self._streams.close()


def _head(method: str, where: Target, headers: Headers, more: str) -> bytes:
    start = f"{method} {where.path} HTTP/1.1\r\nhost: {where.authority}\r\n{more}"
    return start.encode("ascii") + fields(headers)
