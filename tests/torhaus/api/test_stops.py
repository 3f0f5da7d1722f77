from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import ALICE, BOB, DANA
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.asked import server
from tests.torhaus.cast import run

STOP = {"kind": "server", "target": "github", "reason": "an incident"}


def test_a_stop_is_made_listed_and_lifted(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        at.hall.rules = msgspec.structs.replace(at.hall.rules, servers={"github": server()})

        made = await at.post("stops", DANA, {**STOP, "expires": "2027-01-01T00:00:00Z"})
        user = await at.post("stops", DANA, {**STOP, "kind": "user", "target": ALICE.email})

        assert (made.status, user.status) == (201, 201)
        assert made.json["in_force"] is True
        assert len((await at.get("stops", DANA)).json) == 2
        assert [each["target"] for each in (await at.get("stops", BOB)).json] == ["github"]
        assert (await at.get("stops", ALICE)).json == []
        lifted = await at.ask("DELETE", f"/api/v1/stops/{made.json['id']}", BOB)
        assert (lifted.json["in_force"], lifted.json["lifted_by"]) == (False, BOB.email)

    run(play(tmp_path, story))


def test_without_the_right_or_a_reason_nothing_is_stopped(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        assert (await at.post("stops", ALICE, STOP)).problem[0] == 403
        assert (await at.post("stops", DANA, {**STOP, "reason": ""})).problem[0] == 422
        assert (await at.post("stops", DANA, {**STOP, "kind": "world"})).status == 422

    run(play(tmp_path, story))
