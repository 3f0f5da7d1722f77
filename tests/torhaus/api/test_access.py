from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, DAY, MALLORY, rules
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import NOW, run
from torhaus.model.grant import Grant

WISH = {"role": "tech_lead", "seconds": 3600, "reason": "release"}


def test_access_is_asked_for_granted_and_revoked(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = await at.post("access-requests", ALICE, WISH)
        one = f"access-requests/{asked.json['id']}"
        listed = await at.get("access-requests?state=pending", DANA)
        granted = await at.post(f"{one}/approve", DANA, {"comment": "ok"})
        (grant,) = (await at.get("grants", ALICE)).json
        revoked = await at.ask("DELETE", f"/api/v1/grants/{grant['id']}", DANA)

        assert asked.status == 201
        assert listed.json[0]["can_decide"] is True
        assert (await at.get(one, ALICE)).json["grant"] == grant["id"]
        assert granted.json["state"] == "approved"
        assert (grant["user"], grant["role"], grant["in_force"]) == (ALICE.email, "tech_lead", True)
        assert (grant["source"], grant["mode"], grant["granted_by"]) == ("database", "add", DANA.id)
        assert revoked.json["revoked_by"] == DANA.id
        assert revoked.json["in_force"] is False
        assert (await at.ask("DELETE", f"/api/v1/grants/{grant['id']}", DANA)).problem[0] == 409

    run(play(tmp_path, story))


def test_a_decision_may_name_the_end(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = (await at.post("access-requests", ALICE, WISH)).json["id"]

        body = {"until": "2026-09-21T17:00:00+02:00"}
        done = await at.post(f"access-requests/{asked}/approve", DANA, body)

        assert done.status == 200
        (grant,) = (await at.get("grants", DANA)).json
        assert grant["ends"] == "2026-09-21T15:00:00.000Z"

    run(play(tmp_path, story))


def test_a_request_can_be_denied(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = (await at.post("access-requests", ALICE, WISH)).json["id"]

        assert (await at.post(f"access-requests/{asked}/deny", ALICE)).problem[0] == 403
        done = await at.post(f"access-requests/{asked}/deny", DANA, {"comment": "not today"})

        assert (done.json["state"], done.json["comment"]) == ("denied", "not today")

    run(play(tmp_path, story))


WRONG: list[tuple[object, int]] = [
    ({}, 422),
    ({"role": "tech_lead"}, 422),
    ({**WISH, "seconds": 1}, 422),
    ({**WISH, "seconds": 1e300}, 422),
    ({**WISH, "unknown": 1}, 422),
    ({**WISH, "role": ["tech_lead"]}, 422),
    ({**WISH, "role": "nothing like that"}, 422),
    ({**WISH, "reason": "x" * 1001}, 422),
    (b'{"role": "tech_lead", "seconds": NaN}', 422),
    (b"{", 400),
    (b"[]", 422),
    (b"null", 422),
    (b"", 422),
    (b"\xff\xfe", 400),
]


@pytest.mark.parametrize(("body", "status"), WRONG)
def test_a_wrong_body_is_a_problem_that_does_not_repeat_it(
    body: object, status: int, tmp_path: Path
) -> None:
    async def story(at: Counter) -> None:
        answer = await at.post("access-requests", ALICE, body)

        assert answer.problem == (status, "invalid")
        assert "x" * 100 not in answer.text

    run(play(tmp_path, story))


@pytest.mark.parametrize("until", ["tomorrow", "2026-09-21T17:00:00", "1e999", 12])
def test_an_end_is_a_time_with_a_zone(until: object, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = (await at.post("access-requests", ALICE, WISH)).json["id"]

        answer = await at.post(f"access-requests/{asked}/approve", DANA, {"until": until})

        assert answer.problem[0] == 422

    run(play(tmp_path, story))


def test_grants_of_the_file_are_shown_with_the_others(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        file = Grant(id="file:7", user=ALICE.email, role="on_call", begins=NOW, ends=NOW + DAY)
        for_ever = Grant(
            id="file:8",
            user=ALICE.email,
            role="on_call",
            begins=float("-inf"),
            ends=float("inf"),
            replace=True,
        )
        at.hall.rules = rules(grants=(file, for_ever))

        one, other = (await at.get("grants", ALICE)).json

        assert (one["source"], one["in_force"]) == ("file", True)
        assert (other["begins"], other["ends"], other["mode"]) == (None, None, "replace")
        assert (await at.get("grants", MALLORY)).json == []
        assert (await at.ask("DELETE", "/api/v1/grants/file:7", DANA)).problem[0] == 404

    run(play(tmp_path, story))


def test_everybody_can_ask_who_he_is(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await at.post("access-requests", ALICE, WISH)

        bob = (await at.get("me", BOB)).json

        assert bob == {
            "id": BOB.id,
            "email": BOB.email,
            "roles": ["tech_lead"],
            "groups": ["leads"],
            "expires": None,
            "grants": [],
        }

    run(play(tmp_path, story))


def test_my_grants_are_mine_alone(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = (await at.post("access-requests", ALICE, WISH)).json["id"]
        await at.post(f"access-requests/{asked}/approve", DANA)

        assert len((await at.get("me", ALICE)).json["grants"]) == 1
        assert (await at.get("me", DANA)).json["grants"] == []
        assert (await at.get("access-requests/unknown", DANA)).problem[0] == 404

    run(play(tmp_path, story))
