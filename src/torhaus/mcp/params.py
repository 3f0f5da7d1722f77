"""`Mcp-Param-*`: headers that repeat arguments of a tool call (2026-07-28, SEP-2243, checklist M8).

A tool's input schema may mark a property with `x-mcp-header`; its argument then stands in a header
as well, where routers on the way can read it. Whoever serves HTTP must refuse a call whose headers
and body disagree, or the two would be about different things.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from torhaus.mcp import headers

PREFIX = "mcp-param-"
MARK = "x-mcp-header"
MAX_MARKS = 256

_DECIMAL = re.compile(r"-?[0-9]{1,400}(?:\.0+)?")


class Mark(msgspec.Struct, frozen=True):
    """One marked property. `path`: the property names that lead to it; `header` in lower case."""

    path: tuple[str, ...]
    header: str
    integer: bool


def marks(schema: object) -> tuple[Mark, ...]:
    """The marked properties of an input schema, those reached through `properties` alone.

    What the specification calls invalid (another type, no token, elsewhere) marks nothing.
    """
    found = []
    for path, sub in _properties(schema, ()):
        token, kind = sub.get(MARK), sub.get("type")
        if isinstance(token, str) and kind in ("string", "integer", "boolean"):
            found.append(Mark(path, PREFIX + token.lower(), kind == "integer"))
        if len(found) >= MAX_MARKS:
            break
    return tuple(found)


def _properties(
    schema: object, path: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, Any]]]:
    inner = schema.get("properties") if isinstance(schema, dict) and len(path) < 16 else None
    if not isinstance(inner, dict):
        return
    for name, sub in inner.items():
        if isinstance(sub, dict):
            yield (*path, name), sub
            yield from _properties(sub, (*path, name))


def mismatch(
    marked: Sequence[Mark], arguments: Mapping[str, Any], sent: Sequence[tuple[str, str]]
) -> str | None:
    """Why headers and arguments disagree, or None. `sent`: `mcp-param-*` pairs, lower-case names.

    A header stands exactly where an argument does; null is no argument. Headers that no property
    asks for are nobody's business.
    """
    told = dict(sent)
    for mark in marked:
        value = _at(arguments, mark.path)
        header = told.get(mark.header)
        where = ".".join(mark.path)
        if value is None and header is not None:
            return f"the header {mark.header} repeats `{where}`, which the arguments do not hold"
        if value is not None and header is None:
            return f"the header {mark.header} must repeat `{where}`"
        if header is not None and not _same(mark, value, header):
            return f"the header {mark.header} does not match `{where}`"
    return None


def repeated(marked: Sequence[Mark], arguments: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    """The headers that stand for these arguments, lower-case names, values encoded.

    What is neither text, number nor truth cannot stand in one; its server refuses it anyway.
    """
    found = ((mark.header, _at(arguments, mark.path)) for mark in marked)
    return tuple(
        (name, headers.encode(_text(value)))
        for name, value in found
        if isinstance(value, str | int | float)
    )


def _text(value: object) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)


def _at(arguments: Mapping[str, Any], path: tuple[str, ...]) -> Any:
    node: Any = arguments
    for name in path:
        node = node.get(name) if isinstance(node, dict) else None
    return node


def _same(mark: Mark, value: object, header: str) -> bool:
    try:
        told = headers.decode(header.encode("ascii"))
    except ValueError:
        return False
    if isinstance(value, bool):
        return told == ("true" if value else "false")
    if mark.integer and isinstance(value, int | float) and _DECIMAL.fullmatch(told):
        return int(told.partition(".")[0]) == value
    return isinstance(value, str | int | float) and told == str(value)
