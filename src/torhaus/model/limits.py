"""What a budget is, and who draws on which."""

from datetime import tzinfo
from enum import StrEnum

import msgspec

from torhaus.model.access import Glob
from torhaus.model.servers import Window


class Pace(msgspec.Struct, frozen=True):
    """`requests` per `seconds`, evenly spread; at most `burst` at once (GCRA, ITU-T I.371)."""

    requests: int
    seconds: float
    burst: int = 1


class Slots(msgspec.Struct, frozen=True):
    """At most `calls` at the same time. One whose end nobody reports ends after `lease` seconds."""

    calls: int
    lease: float = 900.0


class Quota(msgspec.Struct, frozen=True):
    """At most `amount` until `ends` (Unix seconds). `period` names the time, such as `2026-11`."""

    amount: int
    period: str
    ends: float


class Seats(msgspec.Struct, frozen=True):
    """At most `users` different people until `ends`; `who` takes a seat once."""

    users: int
    who: str
    period: str
    ends: float


Budget = Window | Pace | Slots | Quota | Seats


class Per(StrEnum):
    """Who shares one budget: one person, everybody with a role or in a group, one key, all."""

    USER = "user"
    ROLE = "role"
    GROUP = "group"
    KEY = "key"
    TOTAL = "total"


class LimitRule(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `limits`. `name` is part of the budget's key: it stays over reloads.

    It applies to calls of callers with any of `roles`, in any of `groups` or among `users` (e-mail
    addresses), where these are given at all, to `servers` and `tools` (normalised names or globs
    over them), each empty for any. With `per: role` or `group`, one budget for each of those that
    the caller has. `by_server`, `by_tool`: budgets of their own for each server, for each tool.
    `hits`: answers from the cache count too.
    """

    name: str
    per: Per
    budget: Window | Pace | Slots
    servers: frozenset[str] = frozenset()
    tools: tuple[Glob, ...] = ()
    roles: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    by_server: bool = False
    by_tool: bool = False
    hits: bool = False


class Allowance(msgspec.Struct, frozen=True, kw_only=True):
    """One of `plans`: calls in a calendar month of `zone`, and people in it; None for any number.

    `groups`: whose members draw on it together; empty: everybody.
    """

    name: str
    zone: tzinfo
    calls: int | None = None
    users: int | None = None
    groups: frozenset[str] = frozenset()
    hits: bool = False


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """All limits beside the servers' own `rateLimit`. `counts_hits`: whether any `hits`."""

    rules: tuple[LimitRule, ...] = ()
    allowances: tuple[Allowance, ...] = ()
    counts_hits: bool = False

    def __post_init__(self) -> None:
        hits = [each.hits for each in self.rules] + [each.hits for each in self.allowances]
        msgspec.structs.force_setattr(self, "counts_hits", any(hits))


NO_LIMITS = Limits()


class Scarcity(msgspec.Struct, frozen=True):
    """How much is left of one limit to whoever has least of it.

    `remaining`: uses; `reset_seconds`: until he has more; `exhausted`: budgets with nothing left.
    """

    remaining: int
    reset_seconds: float
    exhausted: int
