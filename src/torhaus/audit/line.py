"""An audit record as one line for people, as `torhaus audit tail` prints it."""

from typing import Any

import msgspec

from torhaus.model.record import Record

MAX_VALUE = 200
"""Longest printed value of one parameter, in characters."""

MAX_LINE = 2000
"""Longest printed list of parameters, in characters."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+*#~,%")

_decode_record = msgspec.json.Decoder(Record).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read(line: bytes) -> Record | None:
    """The record in one line of a segment, or None if it is not one (a torn line)."""
    try:
        return _decode_record(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def text(record: Record) -> str:
    """`2025-10-20 14:23:11 | alice@example.org | github.listIssues | repo=myorg/myrepo`.

    What did not succeed ends with a fifth part: its status, and the reason of a refusal.
    Everything that came from outside is escaped: it can add neither a line nor a column, nor
    send control sequences to a terminal.
    """
    parts = [
        visible(record.timestamp[:19].replace("T", " ")),
        visible(record.user.email),
        visible(f"{record.mcp_server}.{record.operation}"),
        _pairs(record.parameters),
    ]
    if record.result.status != "success":
        parts.append(_ending(record))
    return " | ".join(parts)


def visible(value: str) -> str:
    r"""Replaces what a terminal would act on or hide, and `|`, by `\uXXXX`; `\` is doubled."""
    return _printable(value.replace("\\", "\\\\"))


def _printable(value: str) -> str:
    if value.isprintable() and "|" not in value:
        return value
    return "".join(
        each if each.isprintable() and each != "|" else _escaped(ord(each)) for each in value
    )


def _escaped(code: int) -> str:
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _ending(record: Record) -> str:
    status = visible(record.result.status)
    if record.access_control.allowed and record.result.status != "limited":
        return status
    return f"{status}: {visible(record.access_control.reason)}"


def _pairs(parameters: msgspec.Raw) -> str:
    try:
        value = _decode(parameters)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "(unreadable parameters)"
    if not isinstance(value, dict):
        return _shown(value)
    return _short(
        " ".join(f"{_shown(key)}={_shown(item)}" for key, item in value.items()), MAX_LINE
    )


def _shown(value: Any) -> str:
    if isinstance(value, str) and value and _PLAIN.issuperset(value):
        shown = value
    else:
        shown = _printable(_encode(value).decode())  # JSON has escaped the backslashes
    return _short(shown, MAX_VALUE)


def _short(shown: str, most: int) -> str:
    return shown if len(shown) <= most else shown[: most - 1] + "…"
