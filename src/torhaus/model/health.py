"""How a server behind the gate is doing, and what the gate does about it."""

from enum import StrEnum

import msgspec


class Condition(StrEnum):
    """What people see of a server. `DOWN`, `REFUSED`: look at it; `SLOW`, `FAILING`: soon."""

    READY = "ready"
    IDLE = "idle"
    STARTING = "starting"
    SLOW = "slow"
    FAILING = "failing"
    DOWN = "down"
    REFUSED = "credential refused"


class Upkeep(msgspec.Struct, frozen=True, kw_only=True):
    """When a server counts as down, and how it is looked after. Times in seconds.

    `failures`: this many in a row, and calls are refused at once (0: never). `wait`, `longest`:
    until the first next try, and at most, doubled from try to try. `probe`: a check of our own is
    that try, where one is possible; else a call is. `interval`: between checks also while it is
    well (0: none). `timeout`: of a check. `slow`: the p95 from which it counts as slow (0: never).
    """

    failures: int = 5
    wait: float = 1.0
    longest: float = 60.0
    probe: bool = True
    interval: float = 0.0
    timeout: float = 5.0
    slow: float = 0.0


USUAL = Upkeep()


class Health(msgspec.Struct, frozen=True, kw_only=True):
    """One server, now. Moments in Unix seconds, `p95` in seconds.

    `since`: when its state began, where that is known. `error`: what went wrong last, for
    administrators alone. `next_try`: when a call may reach it again. `failures`: since it last
    answered. `opened`: how often it was found down, `checks`: how often it was looked at, and
    `failed_checks` of those, all since the link to it was made.
    """

    state: Condition
    since: float | None = None
    error: str | None = None
    error_at: float | None = None
    next_try: float | None = None
    p95: float | None = None
    failures: int = 0
    opened: int = 0
    checks: int = 0
    failed_checks: int = 0


UNUSED = Health(state=Condition.IDLE)
