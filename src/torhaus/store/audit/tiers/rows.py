"""One record, as a segment's line has it and as a day file's row has it, and whether they agree."""

import re
from collections.abc import Iterable
from hashlib import sha256
from typing import Any

import msgspec

from torhaus.model.record import Record

_SPACE = 1 << 256
_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{3}Z")


def _loose(struct: type[msgspec.Struct], raw: Any) -> Any:
    """The same fields, each of which may be missing, and no others. `raw`: what stands for Raw."""
    fields: list[tuple[str, Any, Any]] = []
    for field in msgspec.structs.fields(struct):
        kind = field.type
        if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
            kind = _loose(kind, raw)
        if kind is msgspec.Raw:
            fields.append((field.name, *raw))
        else:
            fields.append((field.name, kind | None, None))
    return msgspec.defstruct(
        struct.__name__, fields, omit_defaults=True, forbid_unknown_fields=True, gc=False
    )


_line: Any = msgspec.json.Decoder(_loose(Record, (msgspec.Raw, msgspec.Raw(b"")))).decode
_row: Any = msgspec.json.Decoder(_loose(Record, (str | None, None))).decode
_encode = msgspec.json.Encoder().encode


class Sum:
    """A digest of many rows, whatever their order. Equal sums: the same rows, as often."""

    __slots__ = ("rows", "total")

    def __init__(self) -> None:
        self.total = 0
        self.rows = 0

    def add(self, row: bytes) -> None:
        self.total += int.from_bytes(sha256(row).digest(), "big")
        self.rows += 1

    def equals(self, other: "Sum") -> bool:
        return self.rows == other.rows and (self.total - other.total) % _SPACE == 0


def from_line(line: bytes) -> tuple[str, bytes]:
    """The time of a segment's record, and the row for DuckDB to read: its parameters as text.

    As text they reach the day file octet for octet. Raises ValueError for what is no record, or
    has a field that day files do not have.
    """
    try:
        record = _line(line)
        record.parameters = str(record.parameters, "utf-8")
        row = _encode(record)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"a line is no record of this version: {error}") from error
    time = record.timestamp or ""
    if _TIME.fullmatch(time) is None:
        raise ValueError("a record has no time as records have it")
    return time, row


def summed(texts: Iterable[str]) -> Sum:
    """Of rows that DuckDB gives back as JSON. Raises ValueError."""
    total = Sum()
    try:
        for text in texts:
            total.add(_encode(_row(text)))
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise ValueError(f"the day file holds what is no record: {error}") from error
    return total
