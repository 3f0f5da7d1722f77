"""Cost over the API."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, JANE, rules
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import github, run
from torhaus.model.cost import Costs, Price, SpendingCap
from torhaus.model.usage import Use, Used

COSTS = Costs(
    servers={"github": Price(Decimal("0.001"), "EUR")},
    caps={
        "github": SpendingCap(amount=Decimal(4), currency="EUR", stop=True),
        "*": SpendingCap(amount=Decimal(0), currency="EUR"),
    },
)


def play_with(path: Path, story: Callable[[Counter], Awaitable[None]]) -> None:
    async def ready(at: Counter) -> None:
        servers = {"github": github(), "jira": github(name="jira")}
        at.hall.rules = rules(servers=servers, costs=COSTS)
        async with at.hall.office.write() as desk:
            await desk.usage.add(
                [
                    Used(Use("2026-09", "github", "list", ALICE.email, "developer"), 1000, 500),
                    Used(Use("2026-09", "github", "list", BOB.email, "tech_lead"), 2000, 0),
                    Used(Use("2026-09", "jira", "list", ALICE.email, "developer"), 5, 0),
                ]
            )
        await story(at)

    run(play(path, ready))


async def told(at: Counter, who: Any, query: str = "") -> Any:
    found = await at.get(f"cost{query}", who)
    assert found.status == 200, found
    return found.json


def test_a_month_is_told_to_the_last_digit(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = await told(at, DANA)

        assert found["month"] == "2026-09"
        assert found["lines"][0] == {
            "name": "github", "calls": 3000, "saved": 500,
            "spent": "3.000", "kept": "0.500", "currency": "EUR",
        }  # fmt: skip
        assert found["lines"][1]["spent"] is None
        assert (found["total"]["calls"], found["total"]["spent"]) == (3005, "3.000")
        assert found["budgets"] == [
            {"server": "github", "budget": "4", "spent": "3.000", "currency": "EUR",
             "share": 0.75, "stops": True},
            {"server": "*", "budget": "0", "spent": "3.000", "currency": "EUR",
             "share": 1.0, "stops": False},
        ]  # fmt: skip

    play_with(tmp_path, story)


@pytest.mark.parametrize(
    ("by", "names"),
    [
        ("tool", ["github.list", "jira.list"]),
        ("user", [BOB.email, ALICE.email]),
        ("role", ["tech_lead", "developer"]),
    ],
)
def test_lines_go_by_what_is_asked_for(tmp_path: Path, by: str, names: list[str]) -> None:
    async def story(at: Counter) -> None:
        assert [each["name"] for each in (await told(at, DANA, f"?by={by}"))["lines"]] == names

    play_with(tmp_path, story)


def test_everybody_sees_his_own_and_administrators_their_servers(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        alice, bob, jane = [await told(at, who) for who in (ALICE, BOB, JANE)]

        assert (alice["total"]["calls"], alice["budgets"]) == (1005, [])
        assert bob["total"]["calls"] == 3000
        assert [each["server"] for each in bob["budgets"]] == ["github"]
        assert (jane["total"]["calls"], jane["budgets"]) == (5, [])

    play_with(tmp_path, story)


def test_a_month_without_calls_is_empty(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        found = await told(at, ALICE, "?month=2025-01")

        assert (found["month"], found["lines"], found["total"]["calls"]) == ("2025-01", [], 0)

    play_with(tmp_path, story)


@pytest.mark.parametrize("query", ["?by=colour", "?month=November", "?month=2026-9", "?month="])
def test_what_is_no_month_is_refused(tmp_path: Path, query: str) -> None:
    async def story(at: Counter) -> None:
        assert (await at.get(f"cost{query}", DANA)).problem == (422, "invalid")
        assert (await at.get("cost")).status == 401

    play_with(tmp_path, story)
