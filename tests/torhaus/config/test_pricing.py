"""What `cost_tracking` means: prices and budgets."""

from decimal import Decimal

import pytest

from tests.torhaus.config.stores import WITH_BRIEF, doubts, mistake, printed, rules
from torhaus.model.cost import NO_COSTS, Price, SpendingCap

CENT = "cost_per_api_call: 0.01 €"


@WITH_BRIEF
def test_the_product_texts_block_means_what_it_says() -> None:
    text = printed("4. Cost Monitoring", "Zusammenfassung: Die 5 wichtigsten Erkenntnisse")

    found = rules(text).costs

    assert found.servers == {
        "github": Price(Decimal("0.001"), "EUR"),
        "sentry": Price(Decimal("0.002"), "EUR"),
    }
    assert found.caps == {
        "github": SpendingCap(amount=Decimal(100), currency="EUR", alert=Decimal("0.8")),
        "sentry": SpendingCap(amount=Decimal(50), currency="EUR", alert=Decimal("0.8")),
    }
    assert found.price("github", "list_issues") == Price(Decimal("0.001"), "EUR")


def test_without_any_nothing_costs_anything() -> None:
    assert rules("").costs is NO_COSTS


def test_tools_have_prices_of_their_own_and_all_servers_a_budget() -> None:
    text = f"""
cost_tracking:
  - {{provider: github, {CENT}, tools: {{search_code: 0.1 €}}}}
  - {{provider: "*", monthly_budget: 10 €, hard_stop: true, alert_at: 50%}}
"""
    found = rules(text).costs

    assert found.price("github", "searchCode") == Price(Decimal("0.1"), "EUR")
    assert found.price("github", "issue_read") == Price(Decimal("0.01"), "EUR")
    assert found.price("sentry", "x") is None
    assert found.caps["*"] == SpendingCap(
        amount=Decimal(10), currency="EUR", alert=Decimal("0.5"), stop=True
    )


@pytest.mark.parametrize(
    ("text", "path", "message", "fix"),
    [
        (f"{{provider: github, {CENT}, monthly_budget: 5 $}}", "cost_tracking[0].monthly_budget",
         "USD beside EUR", "in EUR"),
        (f"{{provider: github, {CENT}}}, {{provider: sentry, cost_per_api_call: 1 USD}}",
         "cost_tracking[1].cost_per_api_call", "USD beside EUR", "in EUR"),
        (f"{{provider: github, {CENT}, tools: {{search_code: 1 CHF}}}}",
         "cost_tracking[0].tools.search_code", "CHF beside EUR", "in EUR"),
        (f"{{provider: github, {CENT}}}, {{provider: github, {CENT}}}",
         "cost_tracking[1].provider", "github is here twice", "keep one"),
        ("{provider: github, tools: {search_code: 1 €}}, {provider: github, monthly_budget: 1 €}",
         "cost_tracking[1].provider", "github is here twice", "keep one"),
        ("{provider: github, tools: {search_code: 1 €, searchCode: 2 €}}",
         "cost_tracking[0].tools.searchCode", "price already", "keep one"),
        ("{provider: github}", "cost_tracking[0]", "neither a price nor a budget", "add"),
        (f"{{provider: github, {CENT}, hard_stop: true}}", "cost_tracking[0]", "no budget", "add"),
        (f"{{provider: github, {CENT}, alert_at: 50%}}", "cost_tracking[0]", "no budget", "add"),
        (f'{{provider: "*", {CENT}}}', "cost_tracking[0]", "* has a budget, and no price", "each"),
        (f"{{{CENT}}}", "cost_tracking[0].provider", "missing", "add"),
        (f"{{provider: gihtub, {CENT}, monthly_budget: 1 €, hard_stop: true}}",
         "cost_tracking[0].provider", "no server 'gihtub'", "did you mean github?"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused(text: str, path: str, message: str, fix: str) -> None:
    found = mistake(f"cost_tracking: [{text}]")

    assert found[:2] == (1, path)
    assert message in found[2]
    assert fix in found[3]


@pytest.mark.parametrize(
    ("text", "path", "message"),
    [
        (f"{{provider: gihtub, {CENT}}}", "cost_tracking[0].provider", "no server 'gihtub'"),
        ("{provider: github, monthly_budget: 5 €, hard_stop: true}", "cost_tracking[0]",
         "no price"),
        ('{provider: "*", monthly_budget: 5 €}', "cost_tracking", "no server has a price"),
        ("{provider: github, tools: {isue_read: 1 €}}", "cost_tracking[0].tools.isue_read",
         "has no tool 'isue_read'"),
    ],
)  # fmt: skip
def test_what_leaves_a_gap_is_doubted(text: str, path: str, message: str) -> None:
    ((where, said, _),) = doubts(f"cost_tracking: [{text}]")

    assert where == path
    assert message in said
