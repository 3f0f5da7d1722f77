"""The HTTP connection: MCP requests are answered right here, everything else goes to ASGI.

A subclass of uvicorn's httptools protocol. An ASGI cycle per request costs more CPU than the
whole gate, so requests for `/mcp` never become one.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from torhaus.edge.exchange import HIGH_WATER, Exchange
from torhaus.edge.heads import Head, Heads, key_of
from torhaus.edge.peer import peer_of
from torhaus.mcp.codes import INVALID_REQUEST
from torhaus.mcp.message import error_object, error_text

MAX_HEAD_BYTES = 64 * 1024
MAX_PIPELINED = 16

Handle = Callable[[Exchange], None]


def _is_mcp(url: bytes) -> bool:
    return url.startswith(b"/mcp") and (len(url) == 4 or url[4] in b"/?")


class Lane(HttpToolsProtocol):
    """Set `handle`, `heads` and `max_body` (bytes) in a subclass: see `lane`."""

    handle: Handle
    heads: Heads
    max_body: int

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.peer = peer_of("", tls=False)
        self.quiet_since = 0.0
        self._head: Head | None = None
        self._data = b""
        self._mine: Exchange | None = None
        self._active: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._head_bytes = 0
        self._blocked = False
        self._leaving = False
        self._begun = self._in_head = False
        self._dated: object = None
        self._date = b""

    # -- the connection ------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self.peer = peer_of(self.client[0] if self.client else "", tls=self.scheme == "https")
        self.quiet_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        active, self._active = self._active, None
        self._queue.clear()
        super().connection_lost(exc)
        if active is not None:
            active.lost()

    def pause_writing(self) -> None:
        self._blocked = True
        super().pause_writing()

    def resume_writing(self) -> None:
        self._blocked = False
        super().resume_writing()
        if self._active is not None:
            self._active.writable()

    def shutdown(self) -> None:
        """Called by uvicorn when it stops: finish what is under way, then close."""
        self._leaving = True
        active = self._active
        if active is None:
            super().shutdown()
        elif active.on_drain is not None:
            active.on_drain()

    # -- the request ---------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if not self._begun and self._active is None and self._between():
            known = self.heads.find(data)
            if known is not None and len(known[1]) <= self.max_body:
                exchange = Exchange(self, known[0])
                exchange.body = known[1]
                exchange.closing = self._leaving
                self._start(exchange)
                return
        self._data = data
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.send_400_response("Invalid HTTP request received.")
        except httptools.HttpParserUpgrade:
            pass  # offered, not taken up: the request has been answered as plain HTTP
        self._data = b""
        if self._in_head:
            # The parser collects a head of any size before it reports it.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
                self.send_400_response("The request head is too large.")

    def _between(self) -> bool:
        """Whether no ASGI request is under way either."""
        cycle: Any = self.cycle  # None until the first one, whatever its annotation says
        return cycle is None or cycle.response_complete

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head_bytes = 0
        self._in_head = self._begun = True
        self._head = None
        self._mine = None

    def on_header(self, name: bytes, value: bytes) -> None:
        head = self._head
        if head is None:
            if self.headers or not _is_mcp(self.url):
                super().on_header(name, value)
                return
            head = self._head = Head(self.url)
        head.add(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        head = self._head
        if head is None:
            if self.headers or not _is_mcp(self.url):
                self._leave_to_asgi()
                return
            head = Head(self.url)
        parser = self.parser
        head.method = parser.get_method()
        head.key = key_of(self._data, head)
        mine = self._mine = Exchange(self, head)
        mine.closing = self._leaving or not parser.should_keep_alive()
        if b"expect" in head.headers and self._active is None:
            self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _leave_to_asgi(self) -> None:
        if self._active is not None:
            self._leaving = True  # the answer order of a mixed pipeline cannot be kept: end it
            self.transport.pause_reading()
            raise ValueError("a pipelined request behind an MCP request")
        headers, url, expect = self.headers, self.url, self.expect_100_continue
        super().on_message_begin()
        self.headers.extend(headers)
        self.url, self.expect_100_continue = url, expect
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        mine = self._mine
        if mine is None:
            super().on_body(body)
            return
        if mine.done:
            return  # read on and drop: closing now would take the answer with it
        if not mine.body:
            mine.body = body
        elif isinstance(mine.body, bytearray):
            mine.body += body
        else:
            mine.body = bytearray(mine.body) + body
        if len(mine.body) > self.max_body:
            mine.body = b""
            self._leaving = mine.closing = True
            self._active = self._active or mine
            text = f"the body is larger than {self.max_body} bytes (server.max_body)"
            mine.answer(413, error_text(None, error_object(INVALID_REQUEST, text)))

    def on_message_complete(self) -> None:
        self._begun = False
        mine = self._mine
        if mine is None:
            super().on_message_complete()
            return
        self._mine = None
        if mine.done:
            self.transport.close()  # refused while it was still arriving
            return
        if self._active is None:
            self._start(mine)
        elif len(self._queue) < MAX_PIPELINED:
            self._queue.append(mine)
        else:
            raise ValueError("too many pipelined requests")

    def _start(self, exchange: Exchange) -> None:
        self._active = exchange
        type(self).handle(exchange)

    # -- the answer ----------------------------------------------------------------------------

    def send(self, data: bytes) -> None:
        self.transport.write(data)

    def full(self) -> bool:
        return self._blocked

    def date(self) -> bytes:
        headers = self.server_state.default_headers
        if headers is not self._dated:
            self._dated = headers
            self._date = b"date: %b\r\n" % headers[0][1] if headers else b""
        return self._date

    def finished(self, exchange: Exchange) -> None:
        self._active = None
        self.quiet_since = self.loop.time()
        if self._mine is exchange:
            return
        if self._leaving or exchange.closing:
            self.transport.close()
        elif self._queue:
            self.loop.call_soon(self._next)

    def _next(self) -> None:
        if self._active is None and self._queue and not self.transport.is_closing():
            self._start(self._queue.popleft())

    # -- time ----------------------------------------------------------------------------------

    def tick(self, now: float, *, idle: float, slow: float) -> None:
        """Close what has been idle or has been sending one request for too long (seconds)."""
        active = self._active
        if active is not None:
            if active.streaming:
                active.beat()
            return
        if not self._between():
            return
        limit = slow if self._begun else idle
        if self.quiet_since + limit <= now and not self.transport.is_closing():
            self.transport.close()


def lane(handle: Handle, heads: Heads, max_body: int) -> type[Lane]:
    """The protocol class for uvicorn's `http` setting."""
    own = {"handle": staticmethod(handle), "heads": heads, "max_body": max_body}
    return type("ServingLane", (Lane,), own)
