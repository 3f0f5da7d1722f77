"""Audit records as rows of a table: one cell for each leaf, safe in any spreadsheet. Pure."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from torhaus.audit.columns import RECORD, TEXT
from torhaus.audit.shape import milliseconds
from torhaus.model.record import Record, RecordAccess, RecordCall, RecordResult, RecordUser

_HIDDEN = re.compile(r"[^\x20-\x7e]")
_FIELD = re.compile(r"(\w+) [A-Z]")
_STRUCTS: Mapping[str, type[Any]] = {
    "user": RecordUser,
    "result": RecordResult,
    "access_control": RecordAccess,
    "call": RecordCall,
}
_FORMULA = frozenset("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")
"""What a cell that a spreadsheet would calculate begins with, wide forms included (OWASP, CSV
injection)."""


def _fields(type_: str) -> tuple[str, ...]:
    inner = type_.removeprefix("STRUCT(")
    return () if inner == type_ else tuple(_FIELD.findall(inner))


_COLUMNS = tuple((name, _fields(type_)) for name, type_ in RECORD.items())

HEADER: tuple[str, ...] = tuple(
    leaf for name, below in _COLUMNS for leaf in ([f"{name}.{each}" for each in below] or [name])
)
"""`timestamp`, `user.email` and so on: a name for each leaf of a record."""


def cells(record: Record) -> list[str]:
    """The leaves as text, in the order of `HEADER`; what is unknown is empty."""
    return [_cell(each) for each in _values(record)]


def _values(record: Record) -> Iterator[Any]:
    for name, below in _COLUMNS:
        value = getattr(record, name)
        if below:
            yield from [getattr(value, each) for each in below]
        else:
            yield value


def _cell(value: Any) -> str:
    if isinstance(value, str):
        return safe(value)
    if isinstance(value, msgspec.Raw):
        return safe(bytes(value).decode())
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def safe(text: str) -> str:
    """Text on one line that hides nothing and that no spreadsheet takes for a formula.

    An apostrophe goes before what might be one. What cannot be seen is written as JSON does.
    """
    marked = f"'{text}" if text[:1] in _FORMULA else text
    return marked if marked.isprintable() else _HIDDEN.sub(_escaped, marked)


def _escaped(found: re.Match[str]) -> str:
    return found[0] if found[0].isprintable() else json.dumps(found[0])[1:-1]


def restored(row: Sequence[Any]) -> Record:
    """The record in a row of a day file: columns of `RECORD`, structs as dicts, times as text."""
    fields: dict[str, Any] = {}
    for (name, below), value in zip(_COLUMNS, row, strict=True):
        fields[name] = _struct(name, value) if below else value
    fields["parameters"] = _parameters(fields["parameters"] or "{}")
    return Record(**{name: value for name, value in fields.items() if value is not None})


def _parameters(text: str) -> msgspec.Raw:
    if text.startswith(TEXT):
        text = msgspec.json.decode(text)["_text"]
    return msgspec.Raw(text.encode())


def _struct(name: str, given: Mapping[str, Any] | None) -> Any:
    if given is None:
        return None
    known = {key: each for key, each in given.items() if each is not None or key == "items"}
    if "duration_ms" in known:
        known["duration_ms"] = milliseconds(known["duration_ms"] / 1000)
    return _STRUCTS[name](**known)
