import random

import pytest

from torhaus.limits.states import (
    PaceState,
    QuotaState,
    SeatState,
    SlotState,
    State,
    WindowState,
    state,
)
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.servers import Window

KINDS: list[tuple[Budget, type]] = [
    (Window(2, 10.0), WindowState),
    (Pace(1, 10.0, 2), PaceState),
    (Slots(2, lease=10.0), SlotState),
    (Quota(2, "m", 10.0), QuotaState),
    (Seats(2, "u", "m", 10.0), SeatState),
]


@pytest.mark.parametrize(("budget", "kind"), KINDS)
def test_each_budget_has_its_state(budget: Budget, kind: type) -> None:
    fresh: State = state(budget)

    assert isinstance(fresh, kind)
    assert fresh.idle(0.0)
    assert fresh.left(0.0)[0] == 2


@pytest.mark.parametrize(("budget", "kind"), KINDS)
def test_a_used_state_is_idle_again_in_the_end(budget: Budget, kind: type) -> None:
    used = state(budget)

    used.use(0.0, 1, "c1")

    assert not used.idle(9.0)
    assert used.idle(20.0)


@pytest.mark.parametrize(("budget", "kind"), KINDS[:4])
def test_uses_about_to_be_taken_count(budget: Budget, kind: type) -> None:
    fresh = state(budget)

    waits = [fresh.wait(0.0, 1, earlier) > 0.0 for earlier in range(4)]

    assert waits == [False, False, True, True]


def test_a_slot_is_held_once_by_one_call() -> None:
    slots = SlotState(Slots(2, lease=10.0))

    slots.use(0.0, 1, "c1")
    slots.use(5.0, 1, "c1")

    assert slots.left(5.0) == (1, 0.0)
    assert slots.left(12.0) == (1, 0.0)


@pytest.mark.parametrize(("budget", "kind"), KINDS)
def test_to_take_one_is_to_wait_for_one_and_to_use_it(budget: Budget, kind: type) -> None:
    rng = random.Random(7)
    for _ in range(200):
        at_once, in_steps, now = state(budget), state(budget), 100.0
        for number in range(40):
            now += rng.choice([0.0, 0.1, 3.0, 5.0, 10.0, 25.0, -7.0])  # a clock may be set back
            lease = f"c{number}"
            seconds = in_steps.wait(now, 1, 0)
            if seconds <= 0.0:
                in_steps.use(now, 1, lease)

            assert at_once.take(now, 1, lease) == seconds
            assert at_once.left(now) == in_steps.left(now)
            assert at_once.idle(now) == in_steps.idle(now)
