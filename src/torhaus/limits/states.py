"""What is remembered of one budget's use, one kind for each kind of budget.

All have the same five methods. `wait`: seconds until one more use fits, 0.0 when it does now;
`earlier` uses of the same budget are about to be taken before it. `use`: take one. `take`: both,
where only one is asked for. `left`: uses that fit now, and seconds until more do. `idle`: whether
there is nothing to remember.
"""

from abc import ABC, abstractmethod
from collections import deque

from torhaus.limits import pace
from torhaus.limits.window import Uses, forget, wait
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.servers import Window


class State(ABC):
    __slots__ = ()

    @abstractmethod
    def wait(self, now: float, amount: int, earlier: int) -> float: ...
    @abstractmethod
    def use(self, now: float, amount: int, lease: str) -> None: ...
    @abstractmethod
    def left(self, now: float) -> tuple[int, float]: ...
    @abstractmethod
    def idle(self, now: float) -> bool: ...

    def take(self, now: float, amount: int, lease: str) -> float:
        """Seconds to wait; 0.0 when it was taken."""
        seconds = self.wait(now, amount, 0)
        if seconds <= 0.0:
            self.use(now, amount, lease)
        return seconds


class WindowState(State):
    __slots__ = ("budget", "uses")

    def __init__(self, budget: Window) -> None:
        self.budget = budget
        self.uses: Uses = deque()

    def wait(self, now: float, amount: int, earlier: int) -> float:  # noqa: ARG002 -- one use
        uses, budget = self.uses, self.budget
        forget(uses, budget, now)
        if len(uses) + earlier < budget.requests:
            return 0.0
        return wait(uses, budget, now, earlier)

    def use(self, now: float, amount: int, lease: str) -> None:  # noqa: ARG002 -- one use
        self.uses.append(now)

    def take(self, now: float, amount: int, lease: str) -> float:  # noqa: ARG002 -- one use
        uses, budget = self.uses, self.budget
        if uses and (uses[-1] > now or uses[0] + budget.seconds <= now):
            forget(uses, budget, now)
        if len(uses) < budget.requests:  # nearly always: without a call to anything
            uses.append(now)
            return 0.0
        return wait(uses, budget, now)

    def left(self, now: float) -> tuple[int, float]:
        forget(self.uses, self.budget, now)
        reset = self.uses[0] + self.budget.seconds - now if self.uses else 0.0
        return max(0, self.budget.requests - len(self.uses)), reset

    def idle(self, now: float) -> bool:
        forget(self.uses, self.budget, now)
        return not self.uses


class PaceState(State):
    __slots__ = ("ahead", "budget")

    def __init__(self, budget: Pace) -> None:
        self.budget = budget
        self.ahead = 0.0

    def wait(self, now: float, amount: int, earlier: int) -> float:  # noqa: ARG002 -- one use
        ahead = self.ahead
        if self.budget.requests > 0:
            for _ in range(earlier):
                ahead = pace.use(ahead, self.budget, now)
        return pace.wait(ahead, self.budget, now)

    def use(self, now: float, amount: int, lease: str) -> None:  # noqa: ARG002 -- one use
        self.ahead = pace.use(self.ahead, self.budget, now)

    def left(self, now: float) -> tuple[int, float]:
        every = self.budget.seconds / max(1, self.budget.requests)
        reset = (self.ahead - now) % every or every if self.ahead > now else 0.0
        return pace.left(self.ahead, self.budget, now), reset

    def idle(self, now: float) -> bool:
        return self.ahead <= now


class SlotState(State):
    """Calls under way by lease, and when each ends at the latest; oldest first."""

    __slots__ = ("budget", "leases")

    def __init__(self, budget: Slots) -> None:
        self.budget = budget
        self.leases: dict[str, float] = {}

    def wait(self, now: float, amount: int, earlier: int) -> float:  # noqa: ARG002 -- one slot
        self._end(now)
        if len(self.leases) + earlier < self.budget.calls:
            return 0.0
        return 1.0  # nobody knows when a call ends: ask again soon

    def use(self, now: float, amount: int, lease: str) -> None:  # noqa: ARG002 -- one slot
        self.leases.pop(lease, None)
        self.leases[lease] = now + self.budget.lease

    def release(self, lease: str) -> None:
        self.leases.pop(lease, None)

    def left(self, now: float) -> tuple[int, float]:
        self._end(now)
        return max(0, self.budget.calls - len(self.leases)), 0.0

    def idle(self, now: float) -> bool:
        self._end(now)
        return not self.leases

    def _end(self, now: float) -> None:
        while self.leases:
            lease = next(iter(self.leases))
            if now < self.leases[lease]:
                return
            del self.leases[lease]


class QuotaState(State):
    __slots__ = ("budget", "period", "used")

    def __init__(self, budget: Quota) -> None:
        self.budget = budget
        self.period = budget.period
        self.used = 0

    def wait(self, now: float, amount: int, earlier: int) -> float:
        if self.budget.period != self.period:
            self.period, self.used = self.budget.period, 0
        if self.used + amount * (earlier + 1) <= self.budget.amount:
            return 0.0
        return max(1.0, self.budget.ends - now)

    def use(self, now: float, amount: int, lease: str) -> None:  # noqa: ARG002 -- no lease
        self.used += amount

    def left(self, now: float) -> tuple[int, float]:
        used = self.used if self.budget.period == self.period else 0
        return max(0, self.budget.amount - used), max(0.0, self.budget.ends - now)

    def idle(self, now: float) -> bool:
        return self.used == 0 or now >= self.budget.ends


class SeatState(State):
    __slots__ = ("budget", "period", "taken")

    def __init__(self, budget: Seats) -> None:
        self.budget = budget
        self.period = budget.period
        self.taken: set[str] = set()

    def wait(self, now: float, amount: int, earlier: int) -> float:  # noqa: ARG002 -- one seat
        if self.budget.period != self.period:
            self.period = self.budget.period
            self.taken.clear()
        if self.budget.who in self.taken or len(self.taken) < self.budget.users:
            return 0.0
        return max(1.0, self.budget.ends - now)

    def use(self, now: float, amount: int, lease: str) -> None:  # noqa: ARG002 -- one seat
        self.taken.add(self.budget.who)

    def left(self, now: float) -> tuple[int, float]:
        taken = len(self.taken) if self.budget.period == self.period else 0
        return max(0, self.budget.users - taken), max(0.0, self.budget.ends - now)

    def idle(self, now: float) -> bool:
        return not self.taken or now >= self.budget.ends


AnyState = WindowState | PaceState | SlotState | QuotaState | SeatState


def state(budget: Budget) -> AnyState:
    """A fresh one."""
    match budget:
        case Window():
            return WindowState(budget)
        case Pace():
            return PaceState(budget)
        case Slots():
            return SlotState(budget)
        case Quota():
            return QuotaState(budget)
        case Seats():
            return SeatState(budget)
