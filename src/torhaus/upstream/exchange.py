"""One MCP message over HTTP and what comes back: JSON, or an event stream with the answer."""

import asyncio
from collections.abc import Callable

import msgspec

from torhaus.mcp.message import Incoming, read_incoming
from torhaus.mcp.sse import Event, SseParser, TooLargeError
from torhaus.model.ports import Notice, Sink, UpstreamError
from torhaus.upstream.http import Connection

MAX_BODY = 32 * 1024 * 1024


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The end of an exchange.

    `answer`: the response message, where one came; `body` what came instead of one.
    `last_event`: the last event id seen, from which the stream can be resumed.
    """

    status: int
    headers: dict[bytes, bytes]
    answer: Incoming | None = None
    event_id: str | None = None
    last_event: str | None = None
    body: bytes = b""


_UNREADABLE = (msgspec.MsgspecError, RecursionError, UnicodeDecodeError)


def _read(data: bytes) -> Incoming:
    """Raises one of _UNREADABLE. What is kept raw is not looked into, so UTF-8 is checked here."""
    if not data.isascii():
        str(data, "utf-8")
    return read_incoming(data)


class McpExchange:
    """Collects the answer to one message and hands everything else to a sink.

    `wanted`: JSON text of the request id whose response ends the exchange; None: no response ends
    it (a listening stream). `done` resolves to a Reply or fails with UpstreamError. Set `plain`
    when no header of the answer matters.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_headers",
        "_last_event",
        "_on_open",
        "_parser",
        "_sink",
        "_status",
        "_wanted",
        "done",
        "plain",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        connection: Connection,
        wanted: bytes | None,
        sink: Sink | None,
        on_open: Callable[[], None] | None = None,
    ) -> None:
        self.done: asyncio.Future[Reply] = loop.create_future()
        self.plain = False
        self._connection = connection
        self._wanted = wanted
        self._sink = sink
        self._on_open = on_open
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._parser: SseParser | None = None
        self._last_event: str | None = None

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        self._status = status
        self._headers = headers
        if headers.get(b"content-encoding", b"identity").lower() != b"identity":
            raise UpstreamError("it sent a compressed answer although we did not accept one")
        if status == 200 and b"text/event-stream" in headers.get(b"content-type", b"").lower():
            self._parser = SseParser(MAX_BODY)
            if self._on_open is not None:
                self._on_open()
            if self._sink is not None:
                self._sink.throttle = self._throttle

    def data(self, chunk: bytes) -> None:
        if self._parser is None:
            if not self._body:
                self._body = chunk
            elif isinstance(self._body, bytearray):
                self._body += chunk
            else:
                self._body = bytearray(self._body) + chunk
            if len(self._body) > MAX_BODY:
                raise UpstreamError(f"its answer is larger than {MAX_BODY >> 20} MiB")
            return
        try:
            events = self._parser.feed(chunk)
        except TooLargeError as error:
            raise UpstreamError(f"an event is larger than {MAX_BODY >> 20} MiB") from error
        for event in events:
            self._event(event)

    def _event(self, event: Event) -> None:
        if event.id is not None:
            self._last_event = event.id
        if self.done.done():
            return
        if not event.data:
            self._tell(Notice(body=b"", event_id=event.id, retry=event.retry))
            return
        try:
            message = _read(event.data)
        except _UNREADABLE:
            return  # one unreadable event must not cost the caller the answer behind it
        if message.method is None and message.id is not None and self._is_wanted(message.id):
            self._finish(Reply(self._status, self._headers, message, event.id, self._last_event))
            return
        body = event.data
        self._tell(
            Notice(
                body=body,
                method=message.method,
                id=None if message.id is None else bytes(message.id),
                event_id=event.id,
                retry=event.retry,
            )
        )

    def _is_wanted(self, id_text: msgspec.Raw) -> bool:
        return self._wanted is not None and bytes(id_text) == self._wanted

    def _tell(self, notice: Notice) -> None:
        if self._sink is not None:
            self._sink.notice(notice)

    def _throttle(self, full: bool) -> None:  # noqa: FBT001 -- the shape of Sink.throttle
        transport = self._connection.transport
        if self._connection.exchange is not self or transport.is_closing():
            return
        if full:
            transport.pause_reading()
        else:
            transport.resume_reading()

    def end(self) -> None:
        if self.done.done():
            return
        if self._parser is None:
            self._json()
        else:
            self._finish(Reply(self._status, self._headers, last_event=self._last_event))

    def _json(self) -> None:
        body = bytes(self._body)
        answer = None
        if body[:1] in (b"{", b" ", b"\n", b"\r", b"\t"):
            try:
                answer = _read(body)
            except _UNREADABLE:
                answer = None
        elif body.startswith((b"event:", b"data:", b"id:")):
            # Seen in the wild (checklist U9): an event stream labelled as JSON.
            self._parser = SseParser(MAX_BODY)
            for event in self._parser.feed(body + b"\n\n"):
                self._event(event)
            if self.done.done():
                return
        if answer is not None and answer.method is not None:
            answer = None
        self._finish(Reply(self._status, self._headers, answer, body=body))

    def _finish(self, reply: Reply) -> None:
        if not self.done.done():
            self.done.set_result(reply)

    def fail(self, error: UpstreamError) -> None:
        if not self.done.done():
            self.done.set_exception(error)
