"""What calls have cost, as one caller may see it."""

from decimal import Decimal

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, JANE, MALLORY
from tests.torhaus.cast import NOW
from torhaus.admin.costs import Line, lines, visible
from torhaus.model.cost import NO_COSTS, Costs, Price
from torhaus.model.people import Principal
from torhaus.model.usage import Use, Used

PRICES = Costs(
    servers={"github": Price(Decimal("0.1"), "EUR")},
    tools={("github", "search"): Price(Decimal("0.5"), "EUR")},
)


def used(server: str, tool: str, user: str, calls: int, saved: int, roles: str = "") -> Used:
    return Used(Use("2026-11", server, tool, user, roles), calls, saved)


USED = [
    used("github", "list", ALICE.email, 4, 6, "developer"),
    used("github", "search", ALICE.email, 1, 0, "developer"),
    used("github", "list", BOB.email, 2, 0, "developer,ops"),
    used("jira", "list", ALICE.email, 9, 1),
]


@pytest.mark.parametrize(
    ("viewer", "calls"),
    [(ALICE, [4, 1, 9]), (BOB, [4, 1, 2]), (JANE, [9]), (DANA, [4, 1, 2, 9]), (MALLORY, [])],
)
def test_one_sees_his_own_and_what_he_administers(viewer: Principal, calls: list[int]) -> None:
    assert [each.calls for each in visible(USED, viewer, NOW)] == calls


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("server", ["jira", "github"]),
        ("tool", ["jira.list", "github.list", "github.search"]),
        ("user", [ALICE.email, BOB.email]),
        ("role", ["", "developer", "developer,ops"]),
    ],
)
def test_lines_are_grouped_and_the_longest_come_first(by: str, names: list[str]) -> None:
    assert [line.name for line in lines(USED, PRICES, by)] == names


def test_sums_are_exact_and_tools_have_their_own_price() -> None:
    _, github = lines(USED, PRICES, "server")

    assert github == Line("github", 7, 6, Decimal("1.1"), Decimal("0.6"), "EUR")


def test_without_a_price_there_is_no_money() -> None:
    jira, _ = lines(USED, PRICES, "server")

    assert (jira.spent, jira.kept, jira.currency) == (None, None, None)
    assert all(line.spent is None for line in lines(USED, NO_COSTS, "tool"))


def test_of_nothing_there_are_no_lines() -> None:
    assert lines([], PRICES, "user") == []
