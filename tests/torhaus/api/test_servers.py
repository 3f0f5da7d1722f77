"""How servers are doing, for their administrators."""

from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA, rules
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import NOW, github, run
from tests.torhaus.scripted import dumps
from torhaus.model.health import Condition, Health

TOOLS = [{"name": "issue_read", "description": "Reads."}, {"name": "a/b", "description": "x"}]
DOWN = Health(
    state=Condition.DOWN,
    since=NOW,
    error="no connection to 10.0.0.1:80: Connection refused",
    error_at=NOW + 1,
    next_try=NOW + 2,
    failures=7,
    p95=0.123456,
)


def test_an_administrator_sees_state_tools_and_what_went_wrong(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.rules = rules(servers={"jira": github(name="jira"), "github": github()})
        at.catalogue.learn(github(), [dumps({"tools": TOOLS})], NOW)
        at.healths["github"] = DOWN

        found = await at.get("servers", DANA)

        assert found.status == 200
        first, second = found.json
        assert (first["name"], first["state"], first["tools"]) == ("github", "down", 2)
        assert (first["transport"], first["failures"], first["p95"]) == ("auto", 7, 0.1235)
        assert first["error"] == DOWN.error
        assert first["since"] < first["error_at"] < first["next_try"]
        assert (second["name"], second["state"], second["tools"]) == ("jira", "idle", 0)
        assert (second["error"], second["since"], second["next_try"]) == (None, None, None)

    run(play(tmp_path, story))


def test_others_see_what_they_administer_or_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.rules = rules(servers={"jira": github(name="jira"), "github": github()})

        assert [each["name"] for each in (await at.get("servers", BOB)).json] == ["github"]
        assert (await at.get("servers", ALICE)).problem == (403, "not_allowed")
        assert (await at.get("servers")).status == 401

    run(play(tmp_path, story))
