"""What a child process says on its error stream: for the log, and the last words for errors."""

import re
from collections import deque
from collections.abc import Iterable

import structlog

from torhaus.upstream.lines import Lines, TooLong

log = structlog.get_logger()

LINE_LIMIT = 64 * 1024
KEPT_LINES = 20
SHOWN = 500
"""Characters of one line that are logged or shown."""
SHORTEST_SECRET = 4
"""Values shorter than this are flags and numbers, not secrets; hiding them hides everything."""


class Stderr:
    """Logs lines at debug and keeps the last ones, with the values of `secrets` hidden."""

    __slots__ = ("_last", "_lines", "_mask", "_server")

    def __init__(self, server: str, secrets: Iterable[str]) -> None:
        self._server = server
        self._mask = _mask(secrets)
        self._lines = Lines(LINE_LIMIT)
        self._last: deque[str] = deque(maxlen=KEPT_LINES)

    def feed(self, data: bytes) -> None:
        for line in self._lines.feed(data):
            self._keep(line)

    def finish(self) -> None:
        """A dying process often leaves its last line without an end."""
        for line in self._lines.feed(b"\n"):
            self._keep(line)

    def last(self) -> str | None:
        return self._last[-1] if self._last else None

    def lines(self) -> tuple[str, ...]:
        return tuple(self._last)

    def _keep(self, line: bytes | TooLong) -> None:
        # A cut could run through a secret and leave half of it unmasked, so an overlong line is
        # not shown at all.
        text = "(an overlong line)" if isinstance(line, TooLong) else self._clean(line)
        if not text:
            return
        self._last.append(text)
        log.debug("upstream.stderr", server=self._server, line=text)

    def _clean(self, line: bytes) -> str:
        text = line.decode("utf-8", "replace")
        if self._mask is not None:
            text = self._mask.sub("•••", text)
        # Control characters could forge log lines or drive a terminal.
        return "".join(c if c.isprintable() else " " for c in text[:SHOWN]).strip()


def _mask(secrets: Iterable[str]) -> re.Pattern[str] | None:
    """Every line of every value: a key in PEM form appears line by line."""
    parts = {part.strip() for value in secrets for part in value.splitlines()}
    long = sorted((p for p in parts if len(p) >= SHORTEST_SECRET), key=len, reverse=True)
    return re.compile("|".join(map(re.escape, long))) if long else None
