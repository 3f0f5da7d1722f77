import asyncio
from collections.abc import Coroutine
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.asked import call, server
from torhaus.limits.charges import charges
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.ports import Charge, Counters, Remaining, Shortage
from torhaus.model.servers import Window
from torhaus.store.counters import MemoryCounters

# Typed, so that a checker sees whether the class keeps the promises of the port.
PORT: Counters = MemoryCounters()


def run(waiting: Coroutine[Any, Any, Any]) -> Any:
    """These never suspend, so one step finishes them."""
    try:
        waiting.send(None)
    except StopIteration as end:
        return end.value
    raise AssertionError("it suspended")


def charge(key: str, requests: int = 2, seconds: float = 60.0) -> Charge:
    return Charge(key, Window(requests, seconds), key)


def test_a_used_up_window_says_how_long_to_wait() -> None:
    counters = MemoryCounters()
    assert run(counters.spend([charge("a")], 0.0)) is None
    assert run(counters.spend([charge("a")], 10.0)) is None

    assert run(counters.spend([charge("a")], 20.0)) == Shortage(charge("a"), 40.0)
    assert run(counters.spend([charge("a")], 60.0)) is None


def test_all_charges_are_taken_or_none() -> None:
    counters = MemoryCounters()
    tight, wide = charge("tight", 1), charge("wide", 2)
    assert run(counters.spend([wide, tight], 0.0)) is None

    for now in (1.0, 2.0, 3.0):
        shortage = run(counters.spend([wide, tight], now))
        assert shortage is not None
        assert shortage.charge is tight

    assert run(counters.spend([wide], 4.0)) is None
    assert run(counters.spend([wide], 5.0)) is not None


def test_the_longest_wait_is_the_one_told() -> None:
    counters = MemoryCounters()
    short, long = charge("short", 1, 10.0), charge("long", 1, 100.0)
    run(counters.spend([short, long], 0.0))

    for both in ([short, long], [long, short]):
        shortage = run(counters.spend(both, 1.0))
        assert shortage == Shortage(long, 99.0)


def test_one_window_charged_twice_counts_twice() -> None:
    counters = MemoryCounters()

    assert run(counters.spend([charge("a"), charge("a"), charge("a")], 0.0)) is not None
    assert run(counters.spend([charge("a"), charge("a")], 0.0)) is None
    assert run(counters.spend([charge("a")], 0.0)) is not None


def test_nothing_to_charge_is_never_short() -> None:
    assert run(MemoryCounters().spend([], 0.0)) is None


def test_idle_windows_are_forgotten() -> None:
    counters = MemoryCounters()
    for at in range(5000):
        run(counters.spend([charge(f"user-{at}", seconds=60.0)], at * 1.0))

    assert counters.budgets() < 200


def test_refused_calls_leave_nothing_behind() -> None:
    counters = MemoryCounters()
    for at in range(100):
        run(counters.spend([charge(f"user-{at}", requests=0)], 0.0))

    assert counters.budgets() == 0


@given(
    st.lists(
        st.tuples(st.sets(st.sampled_from("abc"), min_size=1), st.integers(0, 16)), max_size=80
    )
)
def test_counters_agree_with_counting_every_use(
    asked: list[tuple[set[str], int]],
) -> None:
    windows = {"a": Window(1, 1.0), "b": Window(3, 2.0), "c": Window(2, 4.0)}
    counters = MemoryCounters()
    uses: dict[str, list[float]] = {name: [] for name in windows}
    now = 1_700_000_000.0
    for names, quarters in asked:
        now += quarters / 4
        charges = [Charge(name, windows[name], name) for name in sorted(names)]
        free = all(
            sum(use > now - windows[name].seconds for use in uses[name]) < windows[name].requests
            for name in names
        )

        shortage = run(counters.spend(charges, now))

        assert (shortage is None) == free
        for name in names if free else ():
            uses[name].append(now)


def test_300_calls_at_once_are_allowed_100_times() -> None:
    async def story() -> int:
        counters, hourly = MemoryCounters(), [charge("github u-alice", 100, 3600.0)]
        spends = (counters.spend(hourly, 0.0, f"{at}") for at in range(300))
        return sum(each is None for each in await asyncio.gather(*spends))

    assert asyncio.run(story()) == 100


def drawn(budget: Budget, key: str = "b", amount: int = 1) -> Charge:
    return Charge(key, budget, key, amount)


def test_so_many_calls_run_at_once_and_one_ends() -> None:
    counters, charges = MemoryCounters(), [drawn(Slots(2))]

    taken = [run(counters.spend(charges, 0.0, f"c{at}")) for at in range(3)]
    assert taken == [None, None, Shortage(charges[0], 1.0)]

    counters.release(charges, "c9")
    assert run(counters.spend(charges, 1.0, "c4")) is not None
    counters.release(charges, "c1")
    counters.release(charges, "c1")
    assert run(counters.spend(charges, 1.0, "c4")) is None
    assert run(counters.spend(charges, 1.0, "c5")) is not None


def test_a_slot_that_nobody_gives_back_is_free_after_its_lease() -> None:
    counters, charges = MemoryCounters(), [drawn(Slots(1, lease=30.0))]
    run(counters.spend(charges, 0.0, "c1"))

    assert run(counters.spend(charges, 29.9, "c2")) is not None
    assert run(counters.spend(charges, 30.0, "c2")) is None


def test_a_refused_call_holds_no_slot() -> None:
    counters = MemoryCounters()
    slots, window = drawn(Slots(1), "s"), charge("w", requests=0)

    assert run(counters.spend([slots, window], 0.0, "c1")) is not None
    assert run(counters.spend([slots], 0.0, "c2")) is None


def test_a_month_starts_anew() -> None:
    counters = MemoryCounters()
    november, december = Quota(2, "2026-11", 100.0), Quota(2, "2026-12", 200.0)

    found = [run(counters.spend([drawn(november)], now)) for now in (97.0, 98.0, 99.0)]
    assert found == [None, None, Shortage(drawn(november), 1.0)]

    assert run(counters.spend([drawn(december)], 100.0)) is None
    assert run(counters.remaining([drawn(december)], 100.0)) == [
        Remaining(drawn(december), 1, 100.0)
    ]


def test_a_charge_can_weigh_more_than_one() -> None:
    counters, month = MemoryCounters(), Quota(10, "2026-11", 100.0)

    found = [run(counters.spend([drawn(month, amount=4)], 0.0)) is None for _ in range(3)]

    assert found == [True, True, False]
    assert run(counters.spend([drawn(month, amount=2)], 0.0)) is None


def test_seats_are_taken_by_people_not_by_calls() -> None:
    counters = MemoryCounters()

    def sits(who: str, period: str = "2026-11") -> bool:
        return run(counters.spend([drawn(Seats(2, who, period, 100.0))], 0.0)) is None

    assert [sits(who) for who in ("a", "a", "b", "c", "a")] == [True, True, True, False, True]
    assert sits("c", "2026-12")


def test_a_reload_changes_a_budget_at_once_and_forgets_no_use() -> None:
    counters = MemoryCounters()
    for now in (0.0, 1.0, 2.0):
        assert run(counters.spend([charge("a", requests=5)], now)) is None

    assert run(counters.spend([charge("a", requests=3)], 3.0)) is not None
    assert run(counters.spend([charge("a", requests=4)], 3.0)) is None
    assert run(counters.spend([drawn(Pace(1, 60.0, 1), "a")], 3.0)) is None


@pytest.mark.parametrize(
    ("budget", "left", "reset"),
    [
        (Window(5, 60.0), 3, 50.0),
        (Pace(1, 10.0, 3), 2, 10.0),
        (Slots(5), 3, 0.0),
        (Quota(5, "m", 100.0), 3, 90.0),
        (Seats(5, "a", "m", 100.0), 4, 90.0),
    ],
)
def test_callers_can_see_what_is_left_without_using_it(
    budget: Budget, left: int, reset: float
) -> None:
    counters, charges = MemoryCounters(), [drawn(budget)]
    for now in (0.0, 10.0):
        run(counters.spend(charges, now, f"c{now}"))

    for _ in range(2):
        assert run(counters.remaining(charges, 10.0)) == [Remaining(charges[0], left, reset)]


def test_what_nobody_has_used_is_all_there() -> None:
    counters = MemoryCounters()

    found = run(counters.remaining([charge("a"), drawn(Pace(1, 1.0, 7))], 0.0))

    assert [(each.left, each.reset) for each in found] == [(2, 0.0), (7, 0.0)]
    assert counters.budgets() == 0


BUDGETS: dict[str, Budget] = {
    "w": Window(3, 2.0),
    "s": Slots(2, lease=1.5),
    "q": Quota(6, "m", 1e12),
    "p": Pace(2, 1.0, 3),
}
ACTS = st.lists(
    st.tuples(st.sets(st.sampled_from("wsqp"), min_size=1), st.integers(0, 6), st.booleans()),
    max_size=60,
)


@given(ACTS)
def test_all_kinds_together_agree_with_counting_everything(
    acts: list[tuple[set[str], int, bool]],
) -> None:
    counters = MemoryCounters()
    taken: dict[str, list[tuple[float, str]]] = {name: [] for name in BUDGETS}
    tokens, dripped, now = 3.0, 1_700_000_000.0, 1_700_000_000.0
    for at, (names, eighths, ends) in enumerate(acts):
        now += eighths / 8
        tokens, dripped = min(3.0, tokens + 2.0 * (now - dripped)), now
        free = {
            "w": sum(use > now - 2.0 for use, _ in taken["w"]) < 3,
            "s": sum(use + 1.5 > now for use, _ in taken["s"]) < 2,
            "q": len(taken["q"]) < 6,
            "p": tokens >= 1.0,
        }
        charges = [drawn(BUDGETS[name], name) for name in sorted(names)]

        shortage = run(counters.spend(charges, now, f"c{at}"))

        assert (shortage is None) == all(free[name] for name in names)
        if shortage is not None:
            assert not free[shortage.charge.key]
            continue
        for name in names:
            taken[name].append((now, f"c{at}"))
        tokens -= "p" in names
        if ends and "s" in names:
            counters.release(charges, f"c{at}")
            taken["s"].pop()


def test_a_window_that_changed_counts_what_was_used_before() -> None:
    """Charges are remembered for budgets that are equal, states for the very same."""
    counters = MemoryCounters()
    for requests in (2, 2, 3):
        asked = call("x", at=server(rate_limit=Window(requests, 60.0)))
        assert counters.take(charges(asked), 0.0) is None

    found = counters.take(charges(asked), 1.0)

    assert found is not None
    assert found.charge.budget == Window(3, 60.0)
