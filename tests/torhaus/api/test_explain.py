"""Over the API: who may ask about whom."""

from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA
from tests.torhaus.admin.people.staff import opened
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run

CALL = {"server": "github", "tool": "list_issues"}


def test_everybody_asks_about_himself(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        opened(at.hall)

        found = await at.post("explain", ALICE, CALL)

        assert found.status == 200
        assert found.json["verdict"] == "allow"
        assert found.json["trace"][-1]["step"] == "verdict"
        refused = await at.post("explain", ALICE, {**CALL, "tool": "delete_file"})
        assert refused.json["verdict"] == "deny"

    run(play(tmp_path, story))


def test_about_others_asks_who_administers_them_and_nobody_learns_who_there_is(
    tmp_path: Path,
) -> None:
    async def story(at: Counter) -> None:
        opened(at.hall)
        asked = [{**CALL, "user": each} for each in (BOB.email, "nobody@example.org")]
        asked.append({**CALL, "key": "adm_none"})

        answers = [await at.post("explain", ALICE, each) for each in asked]

        assert [each.status for each in answers] == [403, 403, 403]
        assert len({each.text for each in answers}) == 1
        assert (await at.post("explain", DANA, asked[0])).json["verdict"] == "allow"
        assert (await at.post("explain", None, CALL)).status == 401

    run(play(tmp_path, story))


def test_what_a_server_hides_from_somebody_is_not_explained_to_him(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        opened(at.hall)
        known = at.hall.rules.servers
        hidden = msgspec.structs.replace(known["github"], hide_denied=True)
        at.hall.rules = msgspec.structs.replace(at.hall.rules, servers={**known, "github": hidden})

        assert (await at.post("explain", ALICE, CALL)).status == 403
        assert (await at.post("explain", DANA, CALL)).status == 200
        assert (await at.post("explain", ALICE, {**CALL, "server": "x"})).problem[0] == 404

    run(play(tmp_path, story))
