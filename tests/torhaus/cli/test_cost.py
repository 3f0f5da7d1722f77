"""`torhaus cost`, against a running gateway."""

from collections.abc import Iterator

import pytest

from tests.torhaus.cli.conftest import Gate
from tests.torhaus.cli.keeping import OWNER, keeping, said, status
from tests.torhaus.cli.terminal import KEY


@pytest.fixture(scope="module")
def priced(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gate]:
    """Alice has asked twice for the same, Olga once for something else."""
    with keeping(tmp_path_factory.mktemp("priced")) as gate:
        status(gate, "a")
        status(gate, "a")
        status(gate, "b", OWNER)
        yield gate


def test_calls_savings_and_money_are_told_by_server(priced: Gate) -> None:
    told = said(priced, "cost")
    found = said(priced, "cost", "--json").json()

    assert told.code == 0
    head, line, _, budget = told.out.splitlines()
    assert head.split() == [found["month"], "calls", "saved", "spent", "not", "spent"]
    assert line.split() == ["git", "2", "1", "33%", "0.50", "EUR", "0.25", "EUR"]
    assert budget.split()[:3] == ["budget", "git", "25%"]
    assert "0.50 of 2 EUR" in budget
    assert "stops calls" in budget


def test_each_user_is_a_line_and_there_is_a_sum(priced: Gate) -> None:
    lines = said(priced, "cost", "--by", "user").out.splitlines()[1:4]

    assert [line.split()[:3] for line in lines] == [
        ["alice@example.com", "1", "1"],
        ["olga@example.com", "1", "0"],
        ["all", "2", "1"],
    ]


def test_who_administers_nothing_sees_his_own(priced: Gate) -> None:
    found = said(priced, "cost", "--by", "user", "--json", key=KEY).json()

    assert [line["name"] for line in found["lines"]] == ["alice@example.com"]
    assert found["budgets"] == []


def test_a_month_without_calls_says_so(priced: Gate) -> None:
    told = said(priced, "cost", "--month", "2020-01", key=KEY)

    assert (told.code, told.out) == (0, "No calls in 2020-01.\n")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--by", "colour"], "--by is one of server, tool, user, role"),
        (["--month", "2026-13"], "such as 2026-11"),
        (["--month", "November"], "such as 2026-11"),
    ],
)
def test_wrong_use_is_exit_code_2(priced: Gate, words: list[str], message: str) -> None:
    wrong = said(priced, "cost", *words)

    assert wrong.code == 2
    assert message in wrong.err
