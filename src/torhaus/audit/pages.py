"""Pages of the audit log, the newest record first: filters and a cursor as one SELECT. Pure.

A page goes on after the last record of the one before, whatever came meanwhile: there is no
offset that would shift. What somebody filters by is bound, never part of the SQL.
"""

import base64
import hashlib
import re
from datetime import datetime
from typing import Any

import msgspec

from torhaus.audit.part import EVERYTHING, Part
from torhaus.audit.views import LOGS

_TIME = re.compile(r"(?:19[7-9]|[2-9][0-9]{2})[0-9]-[0-9]{2}-[0-9]{2}T[0-9:.]{8,15}Z")

Value = str | int | float | bool | None

# Two acts under one id can have one time: that something was done, and that it was not kept.
_KEY = ("timestamp", "request_id", "coalesce(result.status, '')", "operation")
_ORDER = ", ".join(f"{each} DESC" for each in _KEY)
_AFTER = (
    "timestamp <= $at::TIMESTAMPTZ AND "
    f"({', '.join(_KEY)}) < ($at::TIMESTAMPTZ, $after_id, $after_status, $after_operation)"
)


class Filters(msgspec.Struct, frozen=True, kw_only=True):
    """None asks nothing. `text`: somewhere in the request's id."""

    part: Part = EVERYTHING
    allowed: bool | None = None
    repo: str | None = None
    text: str | None = None

    @property
    def digest(self) -> str:
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()[:16]


class Cursor(msgspec.Struct, frozen=True, array_like=True, forbid_unknown_fields=True):
    """The last record of a page, and the digest of the filters it was found with."""

    at: str
    id: str
    status: str
    operation: str
    filters: str

    @property
    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode().rstrip("=")


def cursor(text: str, filters: Filters) -> Cursor:
    """Raises ValueError: it is none, or one of other filters."""
    try:
        found = msgspec.json.decode(
            base64.b64decode(text + "=" * (-len(text) % 4), b"-_", validate=True), type=Cursor
        )
        _check(found.at)
    except (ValueError, RecursionError) as error:
        raise ValueError("this is no cursor: take `next` of the page before") from error
    if found.filters != filters.digest:
        raise ValueError("this cursor is from other filters: begin at the first page")
    return found


def _check(at: str) -> None:
    """Raises ValueError for what is no time."""
    if _TIME.fullmatch(at) is None:
        raise ValueError(at)
    datetime.fromisoformat(at)


def page(filters: Filters, after: Cursor | None, floor: str = "") -> tuple[str, dict[str, Value]]:
    """The SELECT, and what is bound in it. `floor`: a time; nothing older is looked for."""
    asked = _conditions(filters, floor)
    bound: dict[str, Value] = {name: value for _, name, value in asked}
    conditions = [condition for condition, _, _ in asked]
    if after is not None:
        conditions.append(_AFTER)
        bound |= {
            "at": after.at,
            "after_id": after.id,
            "after_status": after.status,
            "after_operation": after.operation,
        }
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT * FROM {LOGS}{where} ORDER BY {_ORDER}", bound  # noqa: S608 -- all of it is ours


def _conditions(filters: Filters, floor: str) -> list[tuple[str, str, Value]]:
    """(condition, name, value) of each filter that asks something."""
    part = filters.part
    every: list[tuple[str, str, Value]] = [
        ("timestamp >= $since::TIMESTAMPTZ", "since", max(part.since, floor) or None),
        ("timestamp < $until::TIMESTAMPTZ", "until", part.until or None),
        ('lower("user") = lower($user)', "user", part.user),
        ("mcp_server = $server", "server", part.server),
        ("operation = $operation", "operation", part.operation),
        ("result.status = $status", "status", part.status),
        ("credential = $credential", "credential", part.credential),
        ("access_control.allowed = $allowed", "allowed", filters.allowed),
        ("repo = $repo", "repo", filters.repo),
        ("contains(request_id, $text)", "text", filters.text),
    ]
    return [each for each in every if each[2] is not None]


def last_of(record: dict[str, Any], filters: Filters) -> Cursor:
    """Where the page after this record begins."""
    status = (record.get("result") or {}).get("status") or ""
    return Cursor(
        record["timestamp"], record["request_id"], status, record["operation"], filters.digest
    )
