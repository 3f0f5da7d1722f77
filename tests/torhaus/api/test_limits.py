"""What is left of one's budgets, over the API."""

from pathlib import Path

from tests.torhaus.admin.hall import ALICE, DANA, MALLORY, rules
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import github, run
from torhaus.model.limits import LimitRule, Limits, Per
from torhaus.model.servers import Window

HOURLY = Window(100, 3600.0)
TEAM = LimitRule(name="team", per=Per.TOTAL, budget=Window(5, 1.0), servers=frozenset({"github"}))


def test_each_budget_is_told_with_what_is_left(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.rules = rules(
            servers={"github": github(rate_limit=HOURLY), "jira": github(name="jira")},
            limits=Limits(rules=(TEAM,)),
        )

        found = await at.get("me/limits", ALICE)

        assert found.status == 200
        assert found.json == [
            {"limit": "github: 100 calls per hour", "remaining": 100, "reset": 0.0},
            {"limit": "team: 5 calls per second", "remaining": 5, "reset": 0.0},
        ]
        assert (await at.get("me/limits", MALLORY)).json == []
        assert (await at.get("me/limits")).status == 401

    run(play(tmp_path, story))


def test_without_limits_the_list_is_empty(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        assert (await at.get("me/limits", DANA)).json == []

    run(play(tmp_path, story))
