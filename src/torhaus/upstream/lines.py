"""Cuts a byte stream into lines, in linear time and bounded memory."""

import msgspec

KEPT = 512
"""Bytes kept of either end of a line that is too long."""


class TooLong(msgspec.Struct, frozen=True):
    """A line above the limit: only its ends were kept."""

    head: bytes
    tail: bytes


class Lines:
    """Feed it bytes as they come; it returns the lines that became complete, without line feed."""

    __slots__ = ("_head", "_limit", "_parts", "_size", "_tail")

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._parts: list[bytes] = []
        self._size = 0
        self._head: bytes | None = None
        self._tail = b""

    def feed(self, data: bytes) -> list[bytes | TooLong]:
        *ends, rest = data.split(b"\n")
        lines: list[bytes | TooLong] = []
        for end in ends:
            self._add(end)
            lines.append(self._take())
        if rest:
            self._add(rest)
        return lines

    def _add(self, part: bytes) -> None:
        if self._head is not None:
            self._tail = (self._tail + part[-KEPT:])[-KEPT:]
            return
        self._parts.append(part)
        self._size += len(part)
        if self._size > self._limit:
            whole = b"".join(self._parts)
            self._head, self._tail = whole[:KEPT], whole[-KEPT:]
            self._parts.clear()

    def _take(self) -> bytes | TooLong:
        self._size = 0
        if self._head is not None:
            lost = TooLong(self._head, self._tail)
            self._head, self._tail = None, b""
            return lost
        line = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        self._parts.clear()
        return line
