"""How money and shares are written."""

from decimal import Decimal

import pytest

from tests.torhaus.config.stores import mistake
from torhaus.config.costs import money, share
from torhaus.config.problems import FaultError


@pytest.mark.parametrize(
    ("text", "amount", "currency"),
    [
        ("0.001 €", "0.001", "EUR"),
        ("100 €", "100", "EUR"),
        ("0,001 EUR", "0.001", "EUR"),
        ("$0.01", "0.01", "USD"),
        ("CHF 5", "5", "CHF"),
        ("1.5£", "1.5", "GBP"),
        ("1000.125 €", "1000.125", "EUR"),
        ("0.000000001 €", "0.000000001", "EUR"),
        ("0 €", "0", "EUR"),
    ],
)
def test_money_is_an_amount_and_a_currency(text: str, amount: str, currency: str) -> None:
    assert money(text) == (Decimal(amount), currency)


@pytest.mark.parametrize(
    "text",
    ["5", "€", "-1 €", "1e3 €", "€5€", "5 Euro", "1 €/call", "1.2.3 €", "٣ €", "", "  5 €",
     "0.0000000001 €", "1" * 13 + " €", 5, 0.5, None, True, ["1 €"]],
)  # fmt: skip
def test_everything_else_is_no_money(text: object) -> None:
    with pytest.raises(FaultError, match="not an amount of money"):
        money(text)


@pytest.mark.parametrize("text", ["1.000 €", "1,000 $", "100,000 EUR"])
def test_money_that_can_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="thousands"):
        money(text)


@pytest.mark.parametrize(
    ("value", "found"), [("80%", "0.8"), ("100 %", "1"), ("0.5%", "0.005"), (0.8, "0.8"), (1, "1")]
)
def test_a_share_is_a_percentage_or_a_fraction(value: object, found: str) -> None:
    assert share(value) == Decimal(found)


@pytest.mark.parametrize("value", ["0%", "101%", "80", "-1%", 0, 1.5, 80, True, None, float("nan")])
def test_everything_else_is_no_share(value: object) -> None:
    with pytest.raises(FaultError, match="not a share"):
        share(value)


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        ("cost_per_api_call: 0.001", "cost_per_api_call", "not an amount of money"),
        ("monthly_budget: 1.000 €", "monthly_budget", "thousands"),
        ("monthly_budget: 1 €, alert_at: 80", "alert_at", "not a share"),
        ("monthly_budget: 1 €, hard_stop: maybe", "hard_stop", "true or false"),
        ("cost: 1 €", "cost", "unknown key"),
        ("tools: {a: 5}", "tools.a", "not an amount of money"),
    ],
)
def test_a_mistake_is_named_with_its_path(text: str, path: str, message: str) -> None:
    found = mistake(f"cost_tracking:\n- {{provider: github, {text}}}")

    assert found[:2] == (2, f"cost_tracking[0].{path}")
    assert message in found[2]
