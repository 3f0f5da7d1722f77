"""An audit record as one line for people, as `torhaus audit tail` prints it."""

from typing import Any

import msgspec

from torhaus.model.record import Record

MAX_VALUE = 200
"""Longest printed value of one parameter, in characters."""

MAX_LINE = 2000
"""Longest printed list of parameters, in characters."""

_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:@+*#~,%")

ACT = "adm_"
"""How ids of acts begin."""

INTENT_END = b'"phase":"intent"}'
"""How the line of an intent ends: arguments may say the same, but not at the end."""

_decode_record = msgspec.json.Decoder(Record).decode
_decode = msgspec.json.Decoder().decode
_encode = msgspec.json.Encoder().encode


def read(line: bytes) -> Record | None:
    """The record in one line of a segment, or None if it is not one (a torn line)."""
    try:
        return _decode_record(line)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None


def is_intent(line: bytes) -> bool:
    """Whether it says that a call is about to go to its server; its outcome is another line."""
    return line.endswith(INTENT_END)


def text(record: Record) -> str:
    """`2025-10-20 14:23:11 | alice@example.org | github.listIssues | repo=myorg/myrepo`.

    What did not succeed ends with a fifth part: its status, and the reason of a refusal. Of an
    act, `before` and `after` are told as one: `state=pending→approved`.
    Everything that came from outside is escaped: it can add neither a line nor a column, nor
    send control sequences to a terminal.
    """
    parts = [
        visible(record.timestamp[:19].replace("T", " ")),
        visible(record.user.email),
        visible(f"{record.mcp_server}.{record.operation}"),
        _pairs(record.parameters, act=record.request_id.startswith(ACT)),
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


def _pairs(parameters: msgspec.Raw, *, act: bool) -> str:
    try:
        value = _decode(parameters)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return "(unreadable parameters)"
    if not isinstance(value, dict):
        return _shown(value)
    before, after = value.get("before"), value.get("after")
    if act and value.keys() >= {"before", "after"} and _is_thing(before) and _is_thing(after):
        told = {key: item for key, item in value.items() if key not in ("before", "after")}
        pairs = [_pair(key, item) for key, item in told.items()] + _changes(before, after)
    else:
        pairs = [_pair(key, item) for key, item in value.items()]
    return _short(" ".join(pairs), MAX_LINE)


def _is_thing(value: Any) -> bool:
    return value is None or isinstance(value, dict)


def _changes(before: dict[str, Any] | None, after: dict[str, Any] | None) -> list[str]:
    """What an act has changed, a part each."""
    old, new = before or {}, after or {}
    told = []
    for key in dict.fromkeys((*old, *new)):
        was = _shown(old[key]) if key in old else ""
        told.append(f"{_shown(key)}={was}→{_shown(new[key]) if key in new else ''}")
    return told


def _pair(key: str, item: Any) -> str:
    return f"{_shown(key)}={_shown(item)}"


def _shown(value: Any) -> str:
    if isinstance(value, str) and value and _PLAIN.issuperset(value):
        shown = value
    else:
        shown = _printable(_encode(value).decode())  # JSON has escaped the backslashes
    return _short(shown, MAX_VALUE)


def _short(shown: str, most: int) -> str:
    return shown if len(shown) <= most else shown[: most - 1] + "…"
