"""Values that DuckDB gives Python, as JSON."""

import math
from collections.abc import Callable
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import msgspec

_EXACT = 1 << 63
_decode = msgspec.json.Decoder().decode


def cell(value: Any) -> Any:
    """The same as JSON. Times in UTC; what a JSON reader would round or not take is text."""
    if value is None or isinstance(value, str | bool):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value < _EXACT else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, dict):
        return {_key(key): cell(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [cell(each) for each in value]
    return _text(value)


def _text(value: Any) -> str:
    if isinstance(value, datetime):
        return moment(value)
    if isinstance(value, bytes | bytearray):
        return bytes(value).hex()
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal | UUID | timedelta) else repr(value)


def document(value: Any) -> Any:
    """A cell of a JSON column: what it says, where it is JSON."""
    try:
        return _decode(value)
    except (msgspec.MsgspecError, UnicodeError, RecursionError, TypeError):
        return cell(value)


def reader(kind: str) -> Callable[[Any], Any]:
    """How the cells of a column are read. `kind`: the column's type."""
    return document if kind == "JSON" else cell


def moment(value: datetime) -> str:
    """`2025-10-20T14:23:11.234Z`, as records say it; without a zone where there is none."""
    exact = value.astimezone(UTC).replace(tzinfo=None) if value.tzinfo is not None else value
    parts = "milliseconds" if exact.microsecond % 1000 == 0 else "microseconds"
    return exact.isoformat(timespec=parts) + ("" if value.tzinfo is None else "Z")


def _key(key: Any) -> str:
    return key if isinstance(key, str) else str(cell(key))
