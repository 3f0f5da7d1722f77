"""What each server says of its own tools, as far as the gate needs it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from torhaus.mcp.params import MARK, Mark, marks

FRESH = 3600.0
"""Seconds a learned list is believed when the server announces no change."""
PAUSE = 60.0
"""Seconds until a list that could not be fetched is asked for again."""
MAX_TOOLS = 5000


class _Tool(msgspec.Struct):
    name: str
    annotations: dict[str, Any] | None = None
    inputSchema: msgspec.Raw = msgspec.Raw(b"")  # noqa: N815 -- the protocol's spelling


class _Page(msgspec.Struct):
    tools: list[_Tool]
    nextCursor: str | None = None  # noqa: N815 -- the protocol's spelling


_read = msgspec.json.Decoder(_Page).decode
_MARK = MARK.encode()
_NOTHING: Mapping[str, Any] = {}


@dataclass(slots=True)
class _Known:
    tools: Mapping[str, Mapping[str, Any]]
    marks: Mapping[str, tuple[Mark, ...]]
    until: float


class Catalogue:
    """Annotations, which can only make a decision stricter, and arguments repeated in headers."""

    def __init__(self) -> None:
        self._known: dict[str, _Known] = {}

    def hints(self, server: str, tool: str, now: float) -> Mapping[str, Any] | None:
        """The tool's annotations (empty if it has none); None while the list is not known."""
        known = self._known.get(server)
        if known is None or known.until <= now:
            return None
        found = known.tools.get(tool)
        return _NOTHING if found is None else found

    def marks(self, server: str, tool: str) -> tuple[Mark, ...]:
        """The arguments of the tool that headers must repeat, as far as known."""
        known = self._known.get(server)
        return () if known is None else known.marks.get(tool, ())

    def tools(self, server: str) -> Container[str]:
        """The names the server lists, as far as known."""
        known = self._known.get(server)
        return () if known is None else known.tools

    def learn(self, server: str, pages: list[bytes], now: float) -> None:
        """Replace what is known by these pages of `tools/list` results."""
        tools: dict[str, Mapping[str, Any]] = {}
        marked: dict[str, tuple[Mark, ...]] = {}
        for page in pages:
            for tool in _read(page).tools[:MAX_TOOLS]:
                tools[tool.name] = tool.annotations or _NOTHING
                if _MARK in bytes(tool.inputSchema):
                    marked[tool.name] = marks(msgspec.json.decode(tool.inputSchema))
        self._known[server] = _Known(tools, marked, now + FRESH)

    def missed(self, server: str, now: float) -> None:
        """The list could not be had: decide without it for a while."""
        known = self._known.get(server)
        if known is None:
            known = self._known[server] = _Known({}, {}, 0.0)
        known.until = now + PAUSE

    def forget(self, server: str) -> None:
        known = self._known.get(server)
        if known is not None:
            known.until = 0.0


def next_cursor(page: bytes) -> str | None:
    """Raises msgspec.MsgspecError when it is not a tools/list result."""
    return _read(page).nextCursor
