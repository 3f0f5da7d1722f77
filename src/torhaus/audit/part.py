"""A part of the audit log: which records somebody wants. Pure."""

import re
from datetime import UTC, date, datetime, time, timedelta

import msgspec
from msgspec.structs import asdict

from torhaus.audit.shape import timestamp
from torhaus.model.record import Record


class Part(msgspec.Struct, frozen=True, kw_only=True):
    """Times are written as records have them; `since` is included, `until` is not.

    `credential`: as records have it, `key:<id>`. `subject`: whose records, and those that name
    him: approvals, grants, arguments, reasons.
    """

    since: str = ""
    until: str = ""
    user: str | None = None
    server: str | None = None
    operation: str | None = None
    status: str | None = None
    credential: str | None = None
    subject: str | None = None

    def takes(self, record: Record) -> bool:
        return (
            (self.subject is None or concerns(record, self.subject))
            and self.since <= record.timestamp
            and (not self.until or record.timestamp < self.until)
            and (self.user is None or record.user.email.casefold() == self.user.casefold())
            and (self.server is None or record.mcp_server == self.server)
            and (self.operation is None or record.operation == self.operation)
            and (self.status is None or record.result.status == self.status)
            and (self.credential is None or record.credential == self.credential)
        )

    def asked(self) -> dict[str, str]:
        """What is wanted, for the record of who wanted it.

        What stands under `credential` is masked there, as a secret would be: it is told as `with`.
        """
        told = asdict(self)
        told["with"] = told.pop("credential")
        return {name: value for name, value in told.items() if value}

    def takes_day(self, day: str) -> bool:
        """Whether a record of this day (`2025-10-20`, UTC) can be wanted."""
        return self.since[:10] <= day and (not self.until or day <= self.until[:10])


EVERYTHING = Part()


def concerns(record: Record, email: str) -> bool:
    """Whether it is somebody's record, or names him by his address."""
    sought = email.casefold()
    if record.user.email.casefold() == sought:
        return True
    told = f"{bytes(record.parameters).decode('utf-8', 'replace')} {record.access_control.reason}"
    text = told.casefold()
    at = text.find(sought)
    while at >= 0:
        before, after = text[at - 1 : at], text[at + len(sought) : at + len(sought) + 2]
        inside = _GOES_ON.match(before) and not _ESCAPE.search(text[max(0, at - 6) : at])
        if not inside and not _GOES_ON_AFTER.match(after):
            return True
        at = text.find(sought, at + 1)
    return False


_GOES_ON = re.compile(r"[\w.%+-]")
_GOES_ON_AFTER = re.compile(r"[\w-]|\.\w")
# The line break in `To:\nalice@...` and the bracket in `%3Calice@...` are no part of a name.
_ESCAPE = re.compile(r"(?:\\(?:[bfnrt]|u[0-9a-f]{4})|%[0-9a-f]{2})\Z")


def since(text: str) -> str:
    """The time from which on: of a moment, or of a day's beginning. Raises ValueError."""
    return timestamp(_moment(text, timedelta()).timestamp())


def until(text: str) -> str:
    """The time up to which: a day is included to its end, a moment is not. Raises ValueError."""
    return timestamp(_moment(text, timedelta(days=1)).timestamp())


def _moment(text: str, of_a_day: timedelta) -> datetime:
    """A moment, or so long after a day's beginning. UTC where nothing else is said."""
    try:
        found = _read(text, of_a_day)
    except (ValueError, OverflowError):
        found = _EARLIEST - timedelta(days=1)
    if found < _EARLIEST:
        raise ValueError("write 2025-10-20 or 2025-10-20T14:00:00Z")
    return found


def _read(text: str, of_a_day: timedelta) -> datetime:
    if len(text) == len("2025-10-20"):
        return datetime.combine(date.fromisoformat(text), time(), UTC) + of_a_day
    found = datetime.fromisoformat(text)
    return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)


_EARLIEST = datetime(1970, 1, 1, tzinfo=UTC)
"""Records are younger; years of fewer than four digits would be compared as text."""
