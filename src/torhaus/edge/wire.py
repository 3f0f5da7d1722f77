"""The HTTP connection: MCP requests are answered right here, everything else goes to ASGI.

A subclass of uvicorn's httptools protocol. An ASGI cycle per request costs more CPU than the
whole gate, so requests for `/mcp` never become one.
"""

from collections import deque
from collections.abc import Callable
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from torhaus.edge.exchange import HIGH_WATER, Entrance, Exchange
from torhaus.edge.heads import Again, Head, Heads, key_of
from torhaus.edge.peer import peer_of
from torhaus.edge.reading import is_mcp
from torhaus.mcp.codes import INVALID_REQUEST
from torhaus.mcp.message import error_object, error_text

MAX_HEAD_BYTES = 64 * 1024
MAX_HEADERS = 128
MAX_PIPELINED = 16
LINGER = 5.0
"""Seconds a refused client has to read why, while it is still sending."""

_FRAMING = frozenset((b"content-length", b"transfer-encoding"))

STRANGERS_BODY = 64 * 1024
"""Bytes of a body that are kept before it is known who sends it."""


class Refusal(ValueError):  # noqa: N818 -- what the client did, not what we did
    """Raised out of the parser: what comes cannot be read on. `status`: HTTP."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status


class Lane(HttpToolsProtocol):
    """Set these in a subclass, `max_body` in bytes: see `lane`; `send`, `abort`: once connected."""

    send: Callable[[bytes], None]
    abort: Callable[[], None]
    entrance: Entrance
    handle: Callable[[Exchange], None]
    heads: Heads
    max_body: int

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self.peer = peer_of("", tls=False)
        self.quiet_since = 0.0
        self._head: Head | None = None
        self._again = Again(self.heads)
        self._data = b""
        self._fresh = False
        self._offered: Head | None = None
        self._declined: Head | None = None
        self._mine: Exchange | None = None
        self._active: Exchange | None = None
        self._queue: deque[Exchange] = deque()
        self._head_bytes = 0
        self._blocked = self._leaving = self._deaf = self._begun = self._in_head = False
        self._noticed: float | None = None
        self._dated: object = None
        self._date = b""

    # -- the connection ------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        transport.set_write_buffer_limits(high=HIGH_WATER)
        self.send, self.abort = transport.write, transport.abort
        self.peer = peer_of(self.client[0] if self.client else "", tls=self.scheme == "https")
        self.quiet_since = self.loop.time()

    def connection_lost(self, exc: Exception | None) -> None:
        active, self._active = self._active, None
        self._queue.clear()
        super().connection_lost(exc)
        if active is not None:
            active.lost()

    def pause_writing(self) -> None:
        self._blocked = True  # whoever reads no answers is not heard: their memory is ours
        super().pause_writing()
        self.flow.pause_reading()

    def resume_writing(self) -> None:
        self._blocked = False
        super().resume_writing()
        self.flow.resume_reading()
        if self._active is not None:
            self._active.writable()
        self._next()

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
        if self._deaf:
            return
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        cycle: Any = self.cycle  # `_free`, without the calls
        waits = self._begun or self._active or self._queue or self._blocked
        if not waits and (cycle is None or cycle.response_complete):
            known = self._again.find(data)
            if known is not None and len(known[1]) <= self.max_body:
                exchange = self._active = Exchange(self, known[0])
                exchange.body = known[1]
                exchange.closing = self._leaving
                type(self).handle(exchange)
                return
        self._fresh = not self._begun
        self._feed(data)

    def _feed(self, data: bytes) -> None:
        while data and not self._deaf:  # a loop: one packet holds thousands of offers
            data = self._read(data)

    def _read(self, data: bytes) -> bytes:
        """Returns what is left: the parser stops behind the offer of an upgrade."""
        rest = b""
        self._data = data
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserCallbackError as error:
            why = error.__context__
            refusal = why if isinstance(why, Refusal) else Refusal(400, "unreadable")
            self._refuse(refusal)
        except httptools.HttpParserError:
            self._refuse(Refusal(400, "this is not a request of HTTP/1.1"))
        except httptools.HttpParserUpgrade as upgrade:
            rest = data[upgrade.args[0] :]
            self._decline()
        self._data = b""
        if self._in_head:
            # The parser collects a head of any size, and trailers too, before it reports them.
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD_BYTES:
                self._refuse(Refusal(431, "the head of the request is too large"))
        return rest

    def _decline(self) -> None:
        """Read on in HTTP/1.1, as if no upgrade had been offered (RFC 9110 7.8).

        Java's client offers h2c with its first POST. The parser then takes the body for another
        protocol, so a new one reads it, behind a head that says only how long it is.
        """
        head, self._offered = self._offered, None
        if head is None:
            return  # it has no body
        self._declined = head
        self._fresh = False
        self.parser = httptools.HttpRequestParser(self)
        lines = [b"%b: %b\r\n" % (n, head.headers[n]) for n in _FRAMING & head.headers.keys()]
        self._read(b"POST %b HTTP/1.1\r\n%b\r\n" % (head.target, b"".join(lines)))

    def _refuse(self, refusal: Refusal) -> None:
        """Say why once all that came before is answered, and hear no more."""
        if self._deaf or self.transport.is_closing():
            return
        self._leaving = self._deaf = True
        self._in_head = False
        if self._active is not None:
            self._active.closing = True
        elif not self._between():
            self.cycle.keep_alive = False
        elif not self._queue:
            text = str(refusal).encode()
            self.transport.write(
                b"%bcontent-type: text/plain; charset=utf-8\r\nconnection: close\r\n"
                b"content-length: %d\r\n\r\n%b" % (STATUS_LINE[refusal.status], len(text), text)
            )
            self._linger()

    def _linger(self) -> None:
        """Closing with unread data would reset the connection before the client reads why."""
        if self.transport.can_write_eof():
            self.transport.write_eof()
            self.loop.call_later(LINGER, self.transport.close)
        else:
            self.transport.close()

    def _free(self) -> bool:
        """Whether a request that is complete now is the next one to answer."""
        return not (self._active or self._queue or self._blocked) and self._between()

    def _between(self) -> bool:
        """Whether no ASGI request is under way either."""
        cycle: Any = self.cycle  # None until the first one, whatever its annotation says
        return cycle is None or cycle.response_complete

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False
        self._head_bytes = -len(self._data)  # what of it is head is not known before it ends
        self._in_head = self._begun = True
        self._noticed = None
        self._head = None
        self._mine = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._mine is not None:
            return  # a trailer, which says nothing about who asks for what (RFC 9110 6.5.1)
        head = self._head
        if head is None:
            if self.headers or not is_mcp(self.url):
                super().on_header(name, value)
                return
            head = self._head = Head(self.url)
        head.add(name, value)

    def on_headers_complete(self) -> None:
        self._in_head = False
        head, self._declined = self._declined or self._head, None
        if head is None:
            if self.headers or not is_mcp(self.url):
                self._leave_to_asgi()
                return
            head = Head(self.url)
        if len(head.headers) + len(head.twice or ()) > MAX_HEADERS:
            raise Refusal(431, f"the request has more than {MAX_HEADERS} headers")
        parser = self.parser
        if parser.should_upgrade() and not _FRAMING.isdisjoint(head.headers):
            self._offered, head.method = head, parser.get_method()
            return
        head.method = head.method or parser.get_method()
        if self._fresh:
            head.key = key_of(self._data, head)
        self._fresh = False
        mine = self._mine = Exchange(self, head)
        mine.closing = self._leaving or not parser.should_keep_alive()
        if mine.closing:
            mine.chunked = parser.get_http_version() != "1.0"
        if b"expect" in head.headers and self._free():
            self._screen(mine)
            if not mine.done:
                self.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _leave_to_asgi(self) -> None:
        if self._active is not None or self._queue:
            # The order of answers in a mixed pipeline cannot be kept: end it.
            raise Refusal(400, "a page was asked for behind an MCP request")
        headers, url, expect = self.headers, self.url, self.expect_100_continue
        if any(n == b"transfer-encoding" and v.lower() != b"chunked" for n, v in headers):
            raise Refusal(400, "the length of this request cannot be told")  # RFC 9112 6.3
        if self.parser.should_upgrade() and any(name in _FRAMING for name, _ in headers):
            # The parser would take the body for the next request, which somebody smuggles in.
            raise Refusal(400, "a page takes no body together with the offer of an upgrade")
        super().on_message_begin()
        self.headers.extend(headers)
        self.url, self.expect_100_continue = url, expect
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """What follows is data, or trailers, which the parser collects like a head."""
        self._head_bytes = -len(self._data)
        self._in_head = True

    def on_body(self, body: bytes) -> None:
        self._in_head = False
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
        size = len(mine.body)
        if size > STRANGERS_BODY and not mine.screened and self._free():
            self._screen(mine)
        if size > self.max_body and not mine.done:
            text = f"the body is larger than {self.max_body} bytes (server.max_body)"
            mine.body = b""
            if not self._free():
                raise Refusal(413, text)
            self._leaving = mine.closing = True
            self._active = mine
            mine.answer(413, error_text(None, error_object(INVALID_REQUEST, text)))

    def _screen(self, mine: Exchange) -> None:
        """Strangers with large bodies could fill the memory before anybody asks who they are."""
        mine.screened = True
        last, mine.closing = mine.closing, True
        self.entrance.screen(mine)
        if mine.done:
            mine.body = b""
            self._leaving = True
        else:
            mine.closing = last

    def on_message_complete(self) -> None:
        if self._offered is not None:
            return
        self._begun = self._in_head = False
        mine = self._mine
        if mine is None:
            super().on_message_complete()
            return
        self._mine = None
        if mine.done:
            self.transport.close()  # refused while it was still arriving
            return
        if self._leaving:
            return  # nothing behind the last answer is carried out
        if self._free():
            self._start(mine)
        elif len(self._queue) < MAX_PIPELINED:
            self._queue.append(mine)
        else:
            raise Refusal(400, "too many requests at once on one connection")

    def on_response_complete(self) -> None:
        """An ASGI answer is out; MCP requests may be waiting behind it."""
        super().on_response_complete()
        if self._queue:
            self._unset_keepalive_if_required()
            self.loop.call_soon(self._next)

    def _start(self, exchange: Exchange) -> None:
        self._active = exchange
        type(self).handle(exchange)

    # -- the answer ----------------------------------------------------------------------------

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
            self._leaving = True
            self.transport.close()
        elif self._queue:
            self.loop.call_soon(self._next)

    def _next(self) -> None:
        waiting = self._queue and self._active is None and not self._blocked
        if waiting and self._between() and not self.transport.is_closing():
            self._start(self._queue.popleft())

    # -- time ----------------------------------------------------------------------------------

    def tick(self, now: float, *, idle: float, slow: float) -> None:
        """Close what has been idle or has been sending one request for too long (seconds)."""
        active = self._active
        if active is not None:
            if active.streaming:
                active.beat()
            return
        if self._begun:
            if self._noticed is None:
                self._noticed = now
            late = self._noticed + slow <= now
        elif self.timeout_keep_alive_task is not None or not self._between():
            return  # uvicorn counts the time after its own answers
        else:
            late = self.quiet_since + idle <= now
        if late and not self.transport.is_closing():
            self.transport.close()


def lane(entrance: Entrance, max_body: int) -> type[Lane]:
    """The protocol class for uvicorn's `http` setting."""
    own = {
        "entrance": entrance,
        "handle": staticmethod(entrance.handle),
        "heads": entrance.heads,
        "max_body": max_body,
    }
    return type("ServingLane", (Lane,), own)
