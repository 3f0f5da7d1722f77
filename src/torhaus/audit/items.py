"""How many things a result holds, and whether it is an error, without decoding what it says."""

from typing import Any

import msgspec

_BRACKET, _BACKSLASH = b"[\\"

MAX_TEXT = 256 * 1024
"""JSON inside a text block is not counted beyond this many characters."""

# Whatever a server put there: lists are split, not decoded, and no type is ever wrong.
_Loose = list[msgspec.Raw] | dict[str, msgspec.Raw] | str | int | float | bool | None
_Holder = list[msgspec.Raw] | dict[str, _Loose] | str | int | float | bool | None


class _Result(msgspec.Struct):
    isError: _Loose = None  # noqa: N815 - the protocol's spelling
    structuredContent: _Holder = None  # noqa: N815 - the protocol's spelling
    content: _Loose = None
    tools: _Loose = None
    resources: _Loose = None
    resourceTemplates: _Loose = None  # noqa: N815 - the protocol's spelling
    prompts: _Loose = None
    messages: _Loose = None
    contents: _Loose = None
    tasks: _Loose = None


class _Block(msgspec.Struct):
    type: _Loose = None
    text: _Loose = None


class UnreadableError(Exception):
    """The result is not a JSON object."""


_read = msgspec.json.Decoder(_Result).decode
_block = msgspec.json.Decoder(_Block).decode
_holder = msgspec.json.Decoder(_Holder).decode
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def count(result: bytes) -> tuple[bool, int | None]:
    """`(is_error, items)` of a result as JSON text; items is None where unknown or an error.

    Raises UnreadableError.
    """
    try:
        read = _read(result)
    except _BROKEN as error:
        raise UnreadableError from error
    if read.isError is not None and read.isError is not False:
        return True, None
    return False, _items(read)


def _items(read: _Result) -> int | None:
    held = None if read.structuredContent is None else _held(read.structuredContent)
    if held is not None:
        return held
    if isinstance(read.content, list):
        held = _in_text(read.content[0]) if len(read.content) == 1 else None
        return len(read.content) if held is None else held
    for listed in (
        read.tools,
        read.resources,
        read.resourceTemplates,
        read.prompts,
        read.messages,
        read.contents,
        read.tasks,
    ):
        if isinstance(listed, list):
            return len(listed)
    return None


def _held(value: Any) -> int | None:
    """The length of a list, or of the only list in an object."""
    if isinstance(value, list):
        return len(value)
    if not isinstance(value, dict):
        return None
    lists = [item for item in value.values() if isinstance(item, list)]
    return len(lists[0]) if len(lists) == 1 else None


def _in_text(block: msgspec.Raw) -> int | None:
    """The count for JSON that a server sent as text, as most do."""
    raw = bytes(block)
    if _BRACKET not in raw and _BACKSLASH not in raw and raw.find(b"{", 1) < 0:
        return None  # no list or object can begin in there
    try:
        read = _block(raw)
        text = read.text
        if read.type != "text" or not isinstance(text, str) or len(text) > MAX_TEXT:
            return None
        return _held(_holder(text)) if text[:64].lstrip()[:1] in {"[", "{"} else None
    except _BROKEN:
        return None
