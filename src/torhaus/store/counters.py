"""Budgets counted in this process: the default."""

from collections import OrderedDict
from collections.abc import Sequence

from torhaus.limits.states import AnyState, SlotState, state
from torhaus.model.ports import Charge, Remaining, Shortage


class MemoryCounters:
    """Counters with one state for each budget that is in use."""

    def __init__(self) -> None:
        self._states: OrderedDict[str, AnyState] = OrderedDict()

    async def spend(
        self, charges: Sequence[Charge], now: float, lease: str = ""
    ) -> Shortage | None:
        return self.take(charges, now, lease)

    def take(self, charges: Sequence[Charge], now: float, lease: str = "") -> Shortage | None:
        """`spend` for those who need not wait."""
        if len(charges) == 1:  # as nearly always
            only = charges[0]
            held = self._states.get(only.key)
            if held is not None and held.budget is only.budget:
                seconds = held.take(now, only.amount, lease)
                return Shortage(only, seconds) if seconds > 0.0 else None
        worst: Shortage | None = None
        taken: dict[str, int] = {}
        for charge in charges:
            key = charge.key
            found = self._states.get(key)
            fitting = state(charge.budget) if found is None else self._fitting(found, charge)
            seconds = fitting.wait(now, charge.amount, taken.get(key, 0))
            if seconds > 0.0 and (worst is None or seconds > worst.retry_after):
                worst = Shortage(charge, seconds)
            taken[key] = taken.get(key, 0) + 1
        if worst is None:
            for charge in charges:
                self._use(charge, now, lease)
        return worst

    def note(self, charges: Sequence[Charge], now: float, lease: str = "") -> None:
        """Remember uses that were allowed elsewhere."""
        for charge in charges:
            found = self._states.get(charge.key)
            if found is not None:
                self._fitting(found, charge).idle(now)  # forgets what does not count any more
            self._use(charge, now, lease)

    def held(self) -> list[tuple[str, AnyState]]:
        """Every budget in use, by key."""
        return list(self._states.items())

    def release(self, charges: Sequence[Charge], lease: str) -> None:
        for charge in charges:
            found = self._states.get(charge.key)
            if isinstance(found, SlotState):
                found.release(lease)

    async def remaining(self, charges: Sequence[Charge], now: float) -> list[Remaining]:
        return [Remaining(charge, *self._left(charge, now)) for charge in charges]

    def budgets(self) -> int:
        """How many budgets are remembered."""
        return len(self._states)

    def _left(self, charge: Charge, now: float) -> tuple[int, float]:
        found = self._states.get(charge.key)
        fitting = state(charge.budget) if found is None else self._fitting(found, charge)
        return fitting.left(now)

    def _fitting(self, found: AnyState, charge: Charge) -> AnyState:
        """The state under the budget as it is now: a reload may have changed it."""
        if found.budget is charge.budget:
            return found
        if type(found.budget) is type(charge.budget):
            found.budget = charge.budget
            return found
        changed = self._states[charge.key] = state(charge.budget)
        return changed

    def _use(self, charge: Charge, now: float, lease: str) -> None:
        found = self._states.get(charge.key)
        if found is None:
            self._sweep(now)
            found = self._states[charge.key] = state(charge.budget)
        found.use(now, charge.amount, lease)

    def _sweep(self, now: float) -> None:
        """Look at two budgets for each one that is added, so that idle ones make room in time."""
        for _ in range(min(2, len(self._states))):
            key, found = self._states.popitem(last=False)
            if not found.idle(now):
                self._states[key] = found
