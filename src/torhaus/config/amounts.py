"""How amounts are written: durations, sizes, whole numbers, moments."""

import re
from datetime import date, datetime
from typing import Annotated, Any
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from torhaus.config.problems import FaultError

_UNITS = {
    "ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "y": 31536000,
}  # fmt: skip
_BYTES = {
    "": 1, "b": 1, "kb": 1000, "mb": 1000**2, "gb": 1000**3,
    "kib": 1024, "mib": 1024**2, "gib": 1024**3,
}  # fmt: skip
_NUMBER_UNIT = re.compile(r"([0-9]{1,12}(?:\.[0-9]{1,6})?) ?([A-Za-z]{0,3})")


def seconds(value: object) -> float:
    """`300` or `"300"` in seconds, or `20ms`, `5m`, `30d`, `2y` (365 days each)."""
    found = _number_unit(value)
    if found is None or (found[1] and found[1] not in _UNITS):
        raise FaultError("this is not a duration", "write seconds, or 20ms, 5s, 5m, 2h, 30d, 2y")
    return found[0] * _UNITS[found[1] or "s"]


def octets(value: object) -> int:
    """`4194304`, `4MiB` (1024s) or `4MB` (1000s), in bytes."""
    found = _number_unit(value)
    if found is None or found[1].lower() not in _BYTES:
        raise FaultError("this is not a size", "write bytes, or 512KiB, 4MiB")
    return int(found[0] * _BYTES[found[1].lower()])


def _number_unit(value: object) -> tuple[float, str] | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return (float(value), "") if 0 <= value < 1e12 else None
    found = _NUMBER_UNIT.fullmatch(value) if isinstance(value, str) else None
    return None if found is None else (float(found[1]), found[2])


def whole(value: object) -> int:
    """A whole number; text of digits too, because `${PORT}` is text."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and re.fullmatch(r"[0-9]{1,12}", value):
        return int(value)
    raise FaultError("this is not a whole number", "write digits only")


def between(low: float, high: float, said: str) -> AfterValidator:
    """Bounds of a number, both included; `said` completes "choose ..."."""

    def check(value: float) -> float:
        if not low <= value <= high:
            raise FaultError("the value is out of range", f"choose {said}")
        return value

    return AfterValidator(check)


def timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError) as error:  # names with .. or NUL, directories, unknown
        raise FaultError("this is not a time zone", "write it as UTC or Europe/Berlin") from error
    return value


def moment(value: str) -> date | datetime:
    """A day, or a moment with or without offset (RFC 3339)."""
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return date.fromisoformat(value)
        if re.match(r"\d{4}-\d\d-\d\d[T ]", value):
            return datetime.fromisoformat(value)
    except ValueError:
        pass
    raise FaultError("this is not a date", "write 2025-12-31 or 2025-12-31T18:00:00+01:00")


# Editors see the file before variables are put in.
_VARIABLE = {"type": "string", "pattern": r"\$\{"}


def _shape(*shapes: dict[str, Any]) -> WithJsonSchema:
    return WithJsonSchema({"anyOf": [*shapes, _VARIABLE]})


_DURATION = _shape(
    {"type": "number", "minimum": 0},
    {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?(ms|s|m|h|d|w|y)?$"},
)
_SIZE = _shape(
    {"type": "integer", "minimum": 0},
    {"type": "string", "pattern": r"^[0-9]+(\.[0-9]+)? ?([KMGkmg]i?)?[Bb]?$"},
)
_INTEGER = _shape({"type": "integer"})

Seconds = Annotated[float, BeforeValidator(seconds), _DURATION]
Octets = Annotated[int, BeforeValidator(octets), _SIZE]
Whole = Annotated[int, BeforeValidator(whole), _INTEGER]
TimeZone = Annotated[str, AfterValidator(timezone)]
