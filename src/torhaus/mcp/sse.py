"""Server-sent events, both directions: a push parser and an encoder (WHATWG HTML 9.2)."""

import msgspec


class Event(msgspec.Struct, frozen=True):
    """One event. `retry` in milliseconds. `data` is empty for a priming event."""

    data: bytes
    id: str | None = None
    event: str | None = None
    retry: int | None = None


class TooLargeError(ValueError):
    """One event is larger than the limit."""


_BOM = b"\xef\xbb\xbf"


class SseParser:
    """Feed it bytes as they come; it returns the events that became complete.

    Lines end with LF, CRLF or CR. Unlike a browser, an event with an `id` or `retry` but without
    data is reported: it is how MCP 2025-11-25 primes a stream for resumption (SEP-1699).
    Raises TooLargeError when one event exceeds `limit` bytes.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_event",
        "_first",
        "_id",
        "_limit",
        "_rest",
        "_retry",
        "_size",
    )

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        self._limit = limit
        self._rest = bytearray()
        self._after_cr = False
        self._first = True
        self._clear()

    def _clear(self) -> None:
        self._data: list[bytes] = []
        self._size = 0
        self._id: str | None = None
        self._event: str | None = None
        self._retry: int | None = None

    def feed(self, data: bytes) -> list[Event]:
        events: list[Event] = []
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = data[1:]
        if data:
            self._after_cr = data[-1:] == b"\r"
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        if b"\n" not in data:
            self._rest += data
            self._check(len(self._rest))
            return events
        head, *lines, last = data.split(b"\n")
        self._line(bytes(self._rest) + head if self._rest else head, events)
        for line in lines:
            self._line(line, events)
        self._rest = bytearray(last)
        return events

    def _check(self, more: int) -> None:
        if self._size + more > self._limit:
            raise TooLargeError(f"an event is larger than {self._limit} bytes")

    def _line(self, line: bytes, events: list[Event]) -> None:
        if not line:
            self._first = False
            self._dispatch(events)
            return
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        name, _, value = line.partition(b":")
        if value[:1] == b" ":
            value = value[1:]
        if name == b"data":
            self._check(len(value))
            self._data.append(value)
            self._size += len(value) + 1
        elif name == b"id" and b"\0" not in value:
            self._id = value.decode("utf-8", "replace")
        elif name == b"event":
            self._event = value.decode("utf-8", "replace")
        elif name == b"retry" and value.isdigit() and len(value) < 10:
            self._retry = int(value)

    def _dispatch(self, events: list[Event]) -> None:
        if self._data or self._id is not None or self._retry is not None:
            events.append(Event(b"\n".join(self._data), self._id, self._event, self._retry))
        self._clear()


COMMENT = b":\n\n"

# What Python takes for ends of lines besides: clients on httpx-sse up to 0.4.1 do so too, and would
# read the rest of a text as events of their own. JSON holds these in strings alone.
_ENDS = (
    ("\x85".encode(), rb"\u0085"),
    ("\u2028".encode(), rb"\u2028"),
    ("\u2029".encode(), rb"\u2029"),
)


def encode(data: bytes, event_id: str | None = None, retry: int | None = None) -> bytes:
    """One `message` event. `data` is compact JSON text, so it holds no line break."""
    parts = [b"event: message\n"] if data else []
    if event_id is not None:
        parts.append(b"id: %b\n" % event_id.encode())
    if retry is not None:
        parts.append(b"retry: %d\n" % retry)
    if b"\n" in data or b"\r" in data:
        # JSON text may be pretty-printed by an upstream; a raw line break can only be white space.
        data = data.replace(b"\r", b" ").replace(b"\n", b" ")
    if not data.isascii():
        for end, escape in _ENDS:
            data = data.replace(end, escape)
    parts.append(b"data: %b\n\n" % data)
    return b"".join(parts)


def endpoint(address: bytes) -> bytes:
    """Where a client of 2024-11-05 sends its messages: the first event of its stream."""
    return b"event: endpoint\ndata: %b\n\n" % address
