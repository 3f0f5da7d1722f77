"""The shape of `policies`: when, from where and with whose consent something may be done."""

import re
from datetime import date
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, WithJsonSchema, model_validator

from torhaus.config.access import TEXTS, Names, Single, listed
from torhaus.config.addresses import Networks
from torhaus.config.amounts import TimeZone
from torhaus.config.problems import FaultError
from torhaus.config.shape import Shape
from torhaus.config.texts import Line

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FULL = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_WINDOW = re.compile(r"([0-9]{1,2}):([0-9]{2}) ?- ?([0-9]{1,2}):([0-9]{2})")
_DAY_SECONDS = 86400


def days(value: object) -> object:
    """`true` is Monday to Friday; else day names, or ranges such as mon-fri. Monday is 0."""
    if value is True:
        return frozenset(range(5))
    items = listed(value)
    if value is False or not isinstance(items, list) or not items:
        raise FaultError("this is no set of days", "write true (mon-fri) or [mon, tue, wed]")
    found: set[int] = set()
    for item in items:
        found |= _range(item)
    return frozenset(found)


def _range(item: object) -> set[int]:
    if not isinstance(item, str):
        raise FaultError("this is not a day", f"use {', '.join(DAYS)}")
    first, dash, last = item.lower().partition("-")
    start = _weekday(first.strip())
    if not dash:
        return {start}
    length = (_weekday(last.strip()) - start) % 7
    return {(start + step) % 7 for step in range(length + 1)}


def _weekday(word: str) -> int:
    for names in (DAYS, _FULL):
        if word in names:
            return names.index(word)
    raise FaultError("this is not a day", f"use {', '.join(DAYS)}, or a range such as mon-fri")


def windows(value: object) -> object:
    """`08:00-18:00` or a list of such: (start, end) in seconds of the day."""
    items = listed(value)
    if not isinstance(items, list) or not items:
        raise FaultError("these are no hours", "write 08:00-18:00, or a list of such")
    return tuple(_window(item) for item in items)


def _window(item: object) -> tuple[int, int]:
    found = _WINDOW.fullmatch(item) if isinstance(item, str) else None
    if found is None:
        raise FaultError("these are no hours", "write 08:00-18:00; 22:00-06:00 is overnight")
    start, end = (_second(int(found[at]), int(found[at + 1])) for at in (1, 3))
    if start in (_DAY_SECONDS, end):
        raise FaultError("the window is empty", "write 00:00-24:00 for the whole day")
    return start, end


def _second(hour: int, minute: int) -> int:
    if minute > 59 or hour * 60 + minute > 24 * 60:
        raise FaultError("there is no such time of day", "write 00:00 to 24:00")
    return hour * 3600 + minute * 60


def _holiday(value: object) -> date:
    try:
        if isinstance(value, str) and re.fullmatch(r"\d{4}-\d\d-\d\d", value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise FaultError("this is not a day", "write it as 2025-12-25")


_WINDOW_TEXT = {"type": "string", "pattern": r"^[0-9]{1,2}:[0-9]{2} ?- ?[0-9]{1,2}:[0-9]{2}$|\$\{"}
Days = Annotated[
    frozenset[int],
    BeforeValidator(days),
    WithJsonSchema({"anyOf": [{"const": True}, {"type": "string"}, TEXTS]}),
]
Windows = Annotated[
    tuple[tuple[int, int], ...],
    BeforeValidator(windows),
    WithJsonSchema({"anyOf": [_WINDOW_TEXT, {"type": "array", "items": _WINDOW_TEXT}]}),
]
Holiday = Annotated[
    date, BeforeValidator(_holiday), WithJsonSchema({"type": "string", "format": "date"})
]


class TimeSpec(Shape):
    """Office hours. A window that ends before it starts is overnight, of the day it starts on."""

    weekdays: Days | None = None
    """true: Monday to Friday; or a list such as [mon, tue]. Without it, every day."""
    hours: Windows | None = None
    """Such as 08:00-18:00, the end excluded; or a list. Without it, the whole day."""
    timezone: TimeZone | None = None
    """Whose clock counts, such as Europe/Berlin; server.timezone without it."""
    holidays: tuple[Holiday, ...] = ()
    """Days on which no window starts, such as 2025-12-25."""

    @model_validator(mode="after")
    def _says_when(self) -> Self:
        if self.weekdays is None and self.hours is None and not self.holidays:
            raise FaultError("this says no time", "add weekdays, hours or holidays")
        return self


class Target(Shape):
    """What a policy is about. Different keys must all fit, of several values one."""

    role: Names | None = None
    """Roles: callers in one of them."""
    user: Names | None = None
    """E-mail addresses."""
    group: Names | None = None
    """Groups: callers in one of them."""
    mcp_servers: Names | None = None
    """Servers; firebase:production is the server firebase if its environment is production."""
    tools: Names | None = None
    """Tools, or globs such as delete_*; github.create_issue is one server's."""
    actions: Names | None = None
    """read, write, delete, admin, execute, resolve."""
    types: Names | None = None
    """Types of things, such as issues."""


def _targets(value: object) -> object:
    return [value] if isinstance(value, dict) else value


Targets = Annotated[
    tuple[Target, ...],
    Field(min_length=1),
    BeforeValidator(_targets),
    Single(),
]

Action = Literal[
    "deny_outside_hours",
    "deny_outside_networks",
    "deny_other_clients",
    "deny",
    "require_approval",
    "log_only",
    "redact",
]
# What an action is about, and cannot do without.
_NEEDS = {
    "deny_outside_hours": "time",
    "deny_outside_networks": "networks",
    "deny_other_clients": "clients",
}


class PolicySpec(Shape):
    """One rule over calls, with a name that verdicts and audit records carry."""

    name: Line
    """For people."""
    applies_to: Targets | None = None
    """What it is about; entries of the list must all fit. Without it, every call."""
    time: TimeSpec | None = None
    """When: for deny_outside_hours the hours that are open, else when the policy applies."""
    networks: Networks | None = None
    """For deny_outside_networks the open ones, else from where the policy applies."""
    clients: Names | None = None
    """For deny_other_clients the open ones, else for which clients (clientInfo.name)."""
    when: str | None = None
    """A CEL expression over the call; where it fails, a call it could refuse is refused."""
    approvers: Names = ()
    """For require_approval: roles, groups or e-mail addresses; without them, admins."""
    reason: Line | None = None
    """What the caller is told."""
    action: Action
    """What happens to calls it applies to."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        needed = _NEEDS.get(self.action)
        if needed is not None and getattr(self, needed) is None:
            raise FaultError(f"action: {self.action} needs {needed}", f"add {needed}")
        if self.approvers and self.action != "require_approval":
            raise FaultError(
                f"action: {self.action} asks nobody", "remove approvers, or use require_approval"
            )
        return self
