"""Heads of answers that change nothing about how their bodies are read, known again at a glance.

Most answers to calls are 200, JSON and a length, with nothing unusual in the head, and one server
writes nearly the same head each time: but for the length, and once in a second the date.
"""

import re

LONGEST = 2048
_DIGITS = 7
"""Of a length; longer ones are the parser's business."""

# What is not listed here, and whatever stands twice that must not, is the parser's business.
_TEXT = rb"[^\x00-\x08\x0a-\x1f\x7f]*"
_PLAIN = re.compile(
    rb"(?!.*\r\ncontent-length:.*\r\ncontent-length:)"
    rb"(?-i:HTTP)/1\.1 200 %b\r\n"
    rb"(?:content-length:[ \t]*([0-9]{1,%d})\r\n"
    rb"|content-type:[ \t]*application/json(?:;[ \t]*charset=utf-8)?\r\n"
    rb"|connection:[ \t]*keep-alive\r\n"
    rb"|(?:date|server|cache-control|vary|mcp-session-id|x-[a-z0-9-]+):%b\r\n)++"
    % (_TEXT, _DIGITS, _TEXT),
    re.IGNORECASE | re.DOTALL,
)


class PlainHeads:
    """Of one server. Remembers the last one, and what stood in it around the length."""

    __slots__ = ("_before", "_behind", "_head", "_length")

    def __init__(self) -> None:
        self._head = b""  # none yet
        self._length = 0  # of its body
        self._before = self._behind = b""

    def body(self, data: bytes) -> int:
        """Where the body begins, if these octets are all of an answer with a plain head; else 0.

        Such a body has fewer than ten million octets.
        """
        start = len(self._head)
        if start and data.startswith(self._head):  # it ends with the empty line, as this one does
            return start if len(data) - start == self._length else 0
        end = data.find(b"\r\n\r\n", 0, LONGEST) + 4
        if end < 8:
            return 0
        head = data[:end]
        length = self._other(head)
        if length is None:
            length = self._read(head)
        return end if len(data) - end == length else 0

    def _other(self, head: bytes) -> int | None:
        """The length in a head that is like the last one otherwise."""
        if not head.startswith(self._before) or not head.endswith(self._behind):
            return None
        digits = head[len(self._before) : len(head) - len(self._behind)]
        if not digits.isdigit() or len(digits) > _DIGITS:
            return None
        self._head, self._length = head, int(digits)
        return self._length

    def _read(self, head: bytes) -> int | None:
        found = _PLAIN.fullmatch(head, 0, len(head) - 2)
        if found is None or found[1] is None:
            return None
        start, end = found.span(1)
        self._head, self._length = head, int(found[1])
        self._before, self._behind = head[:start], head[end:]
        return self._length
