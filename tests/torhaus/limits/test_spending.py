from datetime import UTC
from decimal import Decimal

import pytest

from tests.torhaus.audit.scene import ALLOWED, call
from torhaus.limits.spending import (
    GRAIN,
    Spending,
    Tally,
    cost_charges,
    cost_of,
    sent_and_saved,
    share,
    spending,
)
from torhaus.model.cost import Costs, Price, SpendingCap
from torhaus.model.outcome import Abandoned, Answer, Answered, Failed, Limited, Outcome

EURO = Price(Decimal("0.001"), "EUR")
COSTS = Costs(
    servers={"github": EURO},
    tools={("github", "searchcode"): Price(Decimal("0.1"), "EUR")},
    caps={"github": SpendingCap(amount=Decimal(100), currency="EUR", stop=True)},
)


def test_money_is_counted_exactly() -> None:
    tallies = {
        ("github", "list_issues"): Tally(234, 1013),
        ("github", "search_code"): Tally(3, 1),
        ("sentry", "get_errors"): Tally(50, 50),
    }

    assert spending(tallies, COSTS) == {"EUR": Spending(Decimal("0.534"), Decimal("1.113"))}


def test_a_call_costs_what_reached_the_server() -> None:
    asked = call(operation="searchCode")
    answer = Answer(result=b"{}")
    ends: list[Outcome] = [
        Answered(ALLOWED, answer),
        Answered(ALLOWED, answer, cached=True),
        Answered(ALLOWED, answer, cached=True, refreshed=True),
        Failed(ALLOWED, "down"),
        Failed(ALLOWED, "down", joined=True),
        Abandoned(ALLOWED),
    ]

    assert [cost_of(asked, each, COSTS) for each in ends] == [0.1, 0.0, 0.1, 0.1, 0.0, 0.0]
    assert cost_of(call(method="tools/list"), ends[0], COSTS) == 0.0
    assert cost_of(asked, ends[0], Costs()) == 0.0


def test_a_tools_own_price_goes_before_its_servers_in_any_spelling() -> None:
    assert COSTS.price("github", "searchCode") == Price(Decimal("0.1"), "EUR")
    assert COSTS.price("github", "other") == EURO
    assert COSTS.price("sentry", "searchCode") is None


def test_currencies_are_not_added_up() -> None:
    costs = Costs(servers={"a": EURO, "b": Price(Decimal(1), "USD")})
    tallies = {("a", "x"): Tally(1, 0), ("b", "x"): Tally(0, 2)}

    assert spending(tallies, costs) == {
        "EUR": Spending(Decimal("0.001"), Decimal(0)),
        "USD": Spending(Decimal(0), Decimal(2)),
    }


def test_a_hard_stop_is_a_budget_of_money() -> None:
    (charge,) = cost_charges("github", "search_code", COSTS, 0.0, UTC)

    assert charge.amount == GRAIN // 10
    assert charge.budget.amount == 100 * GRAIN
    assert charge.limit == "github: 100 EUR per month"


def test_what_costs_nothing_or_is_not_stopped_draws_on_no_money() -> None:
    soft = Costs(
        servers={"github": EURO, "free": Price(Decimal(0), "EUR")},
        caps={
            "github": SpendingCap(amount=Decimal(1), currency="EUR"),
            "free": SpendingCap(amount=Decimal(1), currency="EUR", stop=True),
            "*": SpendingCap(amount=Decimal(1), currency="USD", stop=True),
        },
    )

    assert cost_charges("github", "x", soft, 0.0, UTC) == ()
    assert cost_charges("free", "x", soft, 0.0, UTC) == ()
    assert cost_charges("sentry", "x", COSTS, 0.0, UTC) == ()


def test_a_share_of_a_budget_is_spent_and_of_nothing_all() -> None:
    cap = SpendingCap(amount=Decimal(100), currency="EUR")

    assert share(cap, Decimal(80)) == Decimal("0.8")
    assert share(SpendingCap(amount=Decimal(0), currency="EUR"), Decimal(0)) == 1


@pytest.mark.parametrize(
    ("outcome", "counts"),
    [
        (Answered(ALLOWED, Answer(result=b"{}")), (1, 0)),
        (Answered(ALLOWED, Answer(error=b"{}")), (1, 0)),
        (Answered(ALLOWED, Answer(result=b"{}"), cached=True), (0, 1)),
        (Answered(ALLOWED, Answer(result=b"{}"), cached=True, refreshed=True), (1, 1)),
        (Failed(ALLOWED, "down"), (1, 0)),
        (Failed(ALLOWED, "down", joined=True), (0, 0)),
        (Limited(ALLOWED, "100 per hour", 1.0), (0, 0)),
        (Abandoned(ALLOWED), (0, 0)),
    ],
)
def test_what_went_to_the_server_is_a_call_and_what_did_not_is_saved(
    outcome: Outcome, counts: tuple[int, int]
) -> None:
    assert sent_and_saved(outcome) == counts
