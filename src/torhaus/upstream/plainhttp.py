"""GET an event stream, POST a body: what the HTTP+SSE transport needs of our client."""

import asyncio
from collections.abc import Callable

from torhaus.mcp.sse import Event, SseParser, TooLargeError
from torhaus.model.ports import UpstreamError
from torhaus.upstream.exchange import MAX_BODY, Reply
from torhaus.upstream.http import Connection, Target, refuse_compressed, target
from torhaus.upstream.pool import Pool, trust
from torhaus.upstream.replies import unexpected
from torhaus.upstream.requests import fields

Headers = tuple[tuple[str, str], ...]


class EventStream:
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
        self._status = 0
        self._over = False
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        refuse_compressed(headers)
        if status == 200 and b"text/event-stream" in headers.get(b"content-type", b"").lower():
            self._status = status
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


class _Posted:
    """The exchange of one POST."""

    plain = False

    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        refuse_compressed(headers)
        self.status = status

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
    """Requests to the origin of one URL. `timeout`: seconds a POST may take."""

    def __init__(
        self, url: str, *, connect_timeout: float, timeout: float, ca_file: str | None
    ) -> None:
        where = target(url)
        self._timeout = timeout
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
        connection = await self._streams.fresh()
        stream = EventStream(connection, on_event, on_close)
        head = _head("GET", target(url), headers, "accept: text/event-stream\r\n")
        connection.start(head + b"\r\n", stream, None)
        try:
            await stream.opened
        except BaseException:
            connection.transport.abort()
            raise
        return stream

    async def post(self, url: str, headers: Headers, body: bytes) -> tuple[int, bytes]:
        connection = self._posts.idle() or await self._posts.fresh()
        posted = _Posted()
        more = f"content-type: application/json\r\ncontent-length: {len(body)}\r\n"
        data = _head("POST", target(url), headers, more) + b"\r\n" + body
        connection.start(data, posted, self._timeout)
        try:
            await posted.done
        finally:
            if connection.exchange is posted:
                connection.transport.abort()
        return posted.status, bytes(posted.body)

    def close(self) -> None:
        self._posts.close()
        self._streams.close()


def _head(method: str, where: Target, headers: Headers, more: str) -> bytes:
    start = f"{method} {where.path} HTTP/1.1\r\nhost: {where.authority}\r\n{more}"
    return start.encode("ascii") + fields(headers)
