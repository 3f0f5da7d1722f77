from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import BOB, DANA
from tests.torhaus.admin.people.staff import ERIN, hired, opened
from tests.torhaus.admin.teams.crew import FRANK
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run
from torhaus.model.person import FILE, Team

NEW = {"name": "leads", "roles": ["tech_lead"], "servers": ["github"], "members": [ERIN]}


async def crew(at: Counter) -> None:
    await hired(at.hall)
    await hired(at.hall, FRANK)
    opened(at.hall)
    filed = (Team(name="ops/night", owner=FILE, roles=("developer",)),)
    groups = {"ops/night": (BOB.email,)}
    at.hall.rules = msgspec.structs.replace(at.hall.rules, teams=filed, groups=groups)


def test_a_team_goes_its_whole_way(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await crew(at)
        made = await at.post("teams", DANA, NEW)
        assert (made.status, made.json) == (
            201,
            {**NEW, "owner": "database", "groups": [], "count": 1},
        )
        one = "/api/v1/teams/leads"
        changed = await at.ask("PATCH", one, DANA, {"roles": ["on_call"]})
        assert (changed.json["roles"], changed.json["servers"]) == (["on_call"], ["github"])
        assert (await at.ask("PATCH", one, DANA, {"servers": []})).json["servers"] == []
        joined = await at.post("teams/leads/members", DANA, {"members": [FRANK, ERIN]})
        assert joined.json["members"] == [ERIN, FRANK]
        left = await at.ask("DELETE", f"{one}/members/{ERIN}", DANA)
        assert left.json["members"] == [FRANK]
        assert (await at.get("teams/leads", DANA)).json["members"] == [FRANK]
        assert (await at.ask("DELETE", one, DANA)).json["count"] == 1
        assert (await at.get("teams/leads", DANA)).problem == (404, "not_found")

    run(play(tmp_path, story))


def test_teams_are_listed_and_the_files_are_told_where_they_stand(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await crew(at)
        await at.post("teams", DANA, NEW)

        listed = (await at.get("teams", DANA)).json
        assert [(each["name"], each["owner"], each["count"]) for each in listed] == [
            ("leads", "database", 1),
            ("ops/night", "file", 1),
        ]
        assert "members" not in listed[0]
        shown = await at.get("teams/ops/night", BOB)
        assert shown.json["members"] == [BOB.email]
        assert (await at.get("teams/leads", BOB)).status == 404
        for method, path, body in (
            ("PATCH", "ops/night", {"roles": []}),
            ("DELETE", "ops/night", None),
            ("POST", "ops/night/members", {"members": [ERIN]}),
            ("DELETE", f"ops/night/members/{BOB.email}", None),
        ):
            refused = await at.ask(method, f"/api/v1/teams/{path}", DANA, body)
            assert refused.problem == (409, "conflict"), method
            assert refused.json["fix"] == "change groups.ops/night in the configuration"

    run(play(tmp_path, story))


def test_wrong_bodies_and_wrong_people_change_nothing(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await crew(at)
        assert (await at.post("teams", BOB, NEW)).problem[0] == 403
        assert (await at.post("teams", DANA, {**NEW, "owner": "file"})).status == 422
        assert (await at.post("teams", DANA, {**NEW, "name": "a/b"})).problem[0] == 422
        assert (await at.post("teams", DANA, {**NEW, "members": [BOB.email]})).problem[0] == 409
        assert (await at.get("teams/leads", DANA)).status == 404
        await at.post("teams", DANA, NEW)
        assert (await at.post("teams", DANA, NEW)).problem[0] == 409
        assert (await at.post("teams/leads/members", DANA, {"members": []})).status == 422

    run(play(tmp_path, story))
