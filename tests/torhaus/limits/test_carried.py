"""What budgets by the month know again after a restart."""

from datetime import UTC
from decimal import Decimal

import pytest

from tests.torhaus.asked import person
from torhaus.limits.carried import carried
from torhaus.limits.spending import GRAIN
from torhaus.model.cost import NO_COSTS, Costs, Price, SpendingCap
from torhaus.model.limits import NO_LIMITS, Allowance, Limits, Quota, Seats
from torhaus.model.ports import Charge
from torhaus.model.usage import Use, Used
from torhaus.store.counters import MemoryCounters

NOW = 1_795_000_000.0  # in November 2026
ALICE = person("alice")
GONE = "gone@example.org"


def used(calls: int, saved: int = 0, user: str = ALICE.email, server: str = "github") -> Used:
    return Used(Use("2026-11", server, "list_issues", user, ""), calls, saved)


def charges(
    *rows: Used, plans: tuple[Allowance, ...] = (), costs: Costs = NO_COSTS
) -> list[Charge]:
    people = {ALICE.email: ALICE}
    limits = Limits(allowances=plans) if plans else NO_LIMITS
    return [*carried(rows, limits, costs, people, UTC, NOW)]


def test_calls_of_everybody_are_taken_from_the_plan() -> None:
    plan = Allowance(name="team", zone=UTC, calls=100)

    found = charges(used(3), used(4, user=GONE), plans=(plan,))

    assert [charge.amount for charge in found] == [3, 4]
    assert {charge.key for charge in found} == {"plan\nteam\ncalls"}
    (budget,) = {charge.budget for charge in found}
    assert isinstance(budget, Quota)
    assert budget.period == "2026-11"


@pytest.mark.parametrize(("hits", "amounts"), [(False, [3]), (True, [5, 7])])
def test_saved_calls_count_where_the_plan_says_so(hits: bool, amounts: list[int]) -> None:
    plan = Allowance(name="team", zone=UTC, calls=100, hits=hits)

    found = charges(used(3, 2), used(0, 7), plans=(plan,))

    assert [charge.amount for charge in found] == amounts


def test_each_takes_his_seat_once_by_the_id_that_calls_have() -> None:
    plan = Allowance(name="team", zone=UTC, users=2)

    found = charges(used(3), used(1, server="sentry"), used(1, user=GONE), plans=(plan,))

    seats = [charge.budget for charge in found if isinstance(charge.budget, Seats)]
    assert [seat.who for seat in seats] == [ALICE.id, ALICE.id, GONE]


def test_a_plan_of_a_group_knows_its_members_alone() -> None:
    plan = Allowance(name="ops", zone=UTC, calls=100, groups=frozenset({"ops"}))
    member = person("mia", groups=("ops",))
    people = {ALICE.email: ALICE, member.email: member}
    rows = [used(3), used(4, user=member.email), used(5, user=GONE)]

    found = [*carried(rows, Limits(allowances=(plan,)), NO_COSTS, people, UTC, NOW)]

    assert [charge.amount for charge in found] == [4]


def test_money_is_taken_from_budgets_with_a_hard_stop() -> None:
    cap = SpendingCap(amount=Decimal(1), currency="EUR", stop=True)
    costs = Costs(servers={"github": Price(Decimal("0.25"), "EUR")}, caps={"*": cap})

    (charge,) = charges(used(3, 100), used(9, server="sentry"), costs=costs)

    assert (charge.key, charge.amount) == ("cost\n*", 3 * GRAIN // 4)


def test_counters_go_on_where_the_last_process_left_them() -> None:
    plan = Allowance(name="team", zone=UTC, calls=10)
    counters = MemoryCounters()
    counters.note(charges(used(7), plans=(plan,)), NOW)

    (charge,) = charges(used(1), plans=(plan,))

    assert [counters.take([charge], NOW) is None for _ in range(4)] == [True, True, True, False]
