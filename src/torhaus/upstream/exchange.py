"""One MCP message over HTTP and what comes back: JSON, or an event stream with the answer."""

import asyncio
from collections.abc import Callable

import msgspec

from torhaus.audit.items import UnreadableError, count
from torhaus.mcp.message import Incoming, read_incoming
from torhaus.mcp.sse import Event, SseParser, TooLargeError
from torhaus.model.outcome import Answer, Counted
from torhaus.model.ports import Notice, Sink, UpstreamError
from torhaus.redact.own import Own
from torhaus.upstream.faults import FaultError
from torhaus.upstream.http import JSON, BrokenError, Connection, Exchange, refuse_compressed
from torhaus.upstream.whose import ANOTHERS, anothers, is_answer

MAX_BODY = 32 * 1024 * 1024
LINGER = 2.0
"""Seconds a stream may take to end once the answer on it has come."""

_BOM = b"\xef\xbb\xbf"


class Reply(msgspec.Struct, frozen=True, gc=False):
    """The end of an exchange.

    `answer`: the response message, where one came; `body` what came instead of one.
    `last_event`: the last event id seen, from which the stream can be resumed.
    `ready`: the answer as it goes on, where it was known at a glance; then `answer` is None.
    """

    status: int
    headers: dict[bytes, bytes]
    answer: Incoming | None = None
    event_id: str | None = None
    last_event: str | None = None
    body: bytes = b""
    ready: Answer | None = None


class McpExchange(Exchange):
    """Collects the answer to one message and hands everything else to a sink.

    `wanted`: JSON text of the request id whose response ends the exchange; None: no response ends
    it (a listening stream). `own`: what is masked in all that comes. `done` resolves to a Reply or
    fails with UpstreamError. Set `plain` when no header of the answer matters.

    What stands on its stream for another request goes to nobody, and is how it ends if no answer of
    its own comes behind.
    """

    __slots__ = (
        "_body",
        "_connection",
        "_headers",
        "_last_event",
        "_on_open",
        "_own",
        "_parser",
        "_paused",
        "_sink",
        "_status",
        "_stray",
        "_untouched",
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
        *,
        own: Own | None = None,
    ) -> None:
        self.done: asyncio.Future[Reply] = loop.create_future()
        self.plain = False
        self._connection = connection
        self._wanted = wanted
        self._sink = sink
        self._on_open = on_open
        self._own = own
        self._status = 0
        self._headers: dict[bytes, bytes] = {}
        self._body: bytes | bytearray = b""
        self._parser: SseParser | None = None
        self._last_event: str | None = None
        self._stray: Incoming | None = None

    def head(self, status: int, headers: dict[bytes, bytes]) -> None:
        self._status = status
        self._headers = headers
        if b"content-encoding" in headers:
            refuse_compressed(headers)
        if status == 200 and b"text/event-stream" in headers.get(b"content-type", b"").lower():
            self._stream()
            if self._on_open is not None:
                self._on_open()
            if self._sink is not None:
                self._sink.throttle = self._throttle

    def _stream(self) -> None:
        self._parser = SseParser(MAX_BODY)
        self._untouched = True
        self._paused = False

    def data(self, chunk: bytes) -> None:
        if self._parser is not None and self._untouched:
            self._look(chunk)
        if self._parser is not None:
            self._feed(self._parser, chunk)
            return
        if not self._body:
            self._body = chunk
        elif isinstance(self._body, bytearray):
            self._body += chunk
        else:
            self._body = bytearray(self._body) + chunk
        if len(self._body) > MAX_BODY:
            raise UpstreamError(f"its answer is larger than {MAX_BODY >> 20} MiB")

    def _look(self, chunk: bytes) -> None:
        """Seen in the wild (checklist U9): JSON labelled as an event stream."""
        start = chunk.removeprefix(_BOM).lstrip()[:1]
        if start:
            self._untouched = False
        if start == b"{":
            self._parser = None

    def _feed(self, parser: SseParser, chunk: bytes) -> None:
        try:
            events = parser.feed(chunk)
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
        if event.event not in (None, "", "message"):
            return  # a server's own, such as a heartbeat
        if self._own is not None and self._own.find(event.data):
            event = msgspec.structs.replace(event, data=self._own.masked(event.data))
        message = _read(event.data)
        if message is None:
            return  # one unreadable event must not cost the caller the answer behind it
        if message.method is None and self._took(message, event):
            return
        self._tell(
            Notice(
                body=event.data,
                method=message.method,
                id=None if message.id is None else bytes(message.id),
                event_id=event.id,
                retry=event.retry,
            )
        )

    def _took(self, message: Incoming, event: Event) -> bool:
        """Whether it is the answer, or nothing that anybody could use."""
        if not _is_response(message):
            return True
        wanted = self._wanted
        if wanted is None:
            return message.result is None and message.error is None
        if is_answer(message, wanted):
            if self._connection.exchange is self:
                self._connection.linger(LINGER)
            last = self._last_event
            self._finish(Reply(self._status, self._headers, message, event.id, last))
        elif anothers(message, wanted):
            self._stray = message
        return True

    def _tell(self, notice: Notice) -> None:
        if self._sink is not None:
            self._sink.notice(notice)

    def _throttle(self, full: bool) -> None:  # noqa: FBT001 -- the shape of Sink.throttle
        connection = self._connection
        over = self.done.done() or connection.exchange is not self
        if over or connection.transport.is_closing():
            return
        self._paused = full
        if full:
            connection.hold()
        else:
            connection.go_on()

    def whole(self, data: bytes, start: int) -> None:
        if self.done.done():
            return
        ready = self._at_a_glance(data, start)
        if ready is None:
            self._status, self._headers = 200, JSON
            self._json(data[start:])
        else:
            self.done.set_result(Reply(200, JSON, ready=ready))

    def _at_a_glance(self, data: bytes, start: int) -> Answer | None:
        """The answer, where it is written as most are: the id that was sent, then an object.

        Between both braces stands one JSON object by itself, so the message holds nothing else.
        """
        wanted, own = self._wanted, self._own
        if wanted is None or (own is not None and own.find(data)):
            return None
        opening = b'{"jsonrpc":"2.0","id":%b,"result":{' % wanted
        if not data.startswith(opening, start) or not data.endswith(b"}}"):
            return None
        result = data[start + len(opening) - 1 : -1]
        try:
            if not result.isascii():  # what is skipped is not looked into
                str(result, "utf-8")
            is_error, items = count(result)
        except (UnreadableError, UnicodeDecodeError):
            return None
        return Answer(result=result, counted=Counted(result, is_error, items))

    def end(self) -> None:
        if (
            self._parser is not None
            and self._paused
            and not self._connection.transport.is_closing()
        ):
            self._connection.transport.resume_reading()  # its next user will want to read
        if self.done.done():
            return
        if self._parser is None:
            self._json(bytes(self._body))
        else:
            last = self._last_event
            self._finish(Reply(self._status, self._headers, self._stray, last_event=last))

    def _json(self, body: bytes) -> None:
        if self._own is not None and self._own.find(body):
            body = self._own.masked(body)
        answer = _read(body) if body else None
        if answer is None and b"data:" in body:
            # Seen in the wild (checklist U9): an event stream labelled as JSON.
            self._stream()
            for event in SseParser(MAX_BODY).feed(body + b"\n\n"):
                self._event(event)
            if self.done.done():
                return
        if answer is not None and (answer.method is not None or not _is_response(answer)):
            answer = None
        answer, last = answer or self._stray, self._last_event
        self._finish(Reply(self._status, self._headers, answer, last_event=last, body=body))

    def _finish(self, reply: Reply) -> None:
        if not self.done.done():
            self.done.set_result(reply)

    def fail(self, error: UpstreamError) -> None:
        if self.done.done():
            return
        if self._stray is not None:
            self.done.set_exception(FaultError(ANOTHERS))
        elif isinstance(error, BrokenError) and self._last_event is not None:
            # However a resumable stream ended, what is missing can be fetched (SEP-1699).
            self._finish(Reply(self._status, self._headers, last_event=self._last_event))
        else:
            self.done.set_exception(error)


class _Error(msgspec.Struct):
    code: int
    message: str


_error = msgspec.json.Decoder(_Error).decode


def _read(text: bytes) -> Incoming | None:
    """The message, or None when it is none that could be passed on."""
    try:
        if not text.isascii():  # msgspec does not look into the strings of what it keeps raw
            str(text, "utf-8")
        return read_incoming(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return _read(text[3:]) if text.startswith(_BOM) else None


def _is_response(message: Incoming) -> bool:
    """Whether it is a JSON-RPC response. Web servers also write objects with an `error` in them."""
    if message.error is None:
        return message.result is not None or message.jsonrpc == "2.0"
    try:
        _error(message.error)
    except (msgspec.MsgspecError, RecursionError):
        return False
    return message.jsonrpc == "2.0"
