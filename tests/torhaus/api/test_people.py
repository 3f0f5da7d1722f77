from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA
from tests.torhaus.admin.people.staff import opened
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run

ERIN = {"email": "Erin@example.org", "name": "Erin", "roles": ["developer"]}


def test_people_are_added_changed_and_their_access_ends(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        added = await at.post("people", DANA, ERIN)
        assert (added.status, added.json["email"]) == (201, "erin@example.org")
        one = "people/erin@example.org"

        changed = await at.ask("PATCH", f"/api/v1/{one}", DANA, {"roles": ["tech_lead"]})
        assert changed.json["roles"] == ["tech_lead"]
        assert (await at.post(f"{one}/suspend", DANA, {"reason": "leave"})).json["state"] == (
            "suspended"
        )
        assert (await at.post(f"{one}/reinstate", DANA)).json["state"] == "active"
        made = await at.post("keys", ALICE, {"label": "laptop"})
        gone = await at.post(f"people/{ALICE.email}/offboard", DANA, {"reason": "left"})
        assert made.status == 201
        assert gone.json["closed"] == {"keys": 1, "keys_of_file": 1}
        shown = (await at.get(f"people/{ALICE.email}", DANA)).json
        assert (shown["state"], shown["owner"], shown["file_keys"]) == ("gone", "file", 1)

    run(play(tmp_path, story))


def test_people_are_listed_in_pages_and_everybody_sees_himself(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        await at.post("people", DANA, ERIN)

        first = (await at.get("people?limit=3", DANA)).json
        rest = (await at.get(f"people?after={first[-1]['email']}", DANA)).json
        every = [each["email"] for each in (*first, *rest)]
        assert every == sorted(every)
        assert "erin@example.org" in every
        assert "anonymous" not in every
        assert [each["email"] for each in (await at.get("people", BOB)).json] == [BOB.email]
        assert (await at.get(f"people/{DANA.email}", BOB)).status == 404
        assert (await at.get("people?state=suspended", DANA)).json == []
        assert (await at.get(f"people/{BOB.email}", BOB)).json["active_roles"] == ["tech_lead"]

    run(play(tmp_path, story))


def test_without_the_right_and_with_wrong_bodies_nothing_happens(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        assert (await at.post("people", BOB, ERIN)).problem[0] == 403
        assert (await at.post("people", DANA, {**ERIN, "state": "gone"})).status == 422
        assert (await at.post("people", DANA, {**ERIN, "email": "x"})).problem[0] == 422
        assert (await at.post(f"people/{DANA.email}/offboard", DANA)).problem[0] == 403
        assert (await at.ask("PATCH", f"/api/v1/people/{BOB.email}", DANA, {})).problem[0] == 409
        assert (await at.post("people/x@example.org/suspend", DANA)).problem[0] == 404

    run(play(tmp_path, story))


def test_the_servers_of_somebody_are_given_and_changed(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        opened(at.hall)
        one = "/api/v1/people/erin@example.org"
        added = await at.post("people", DANA, {**ERIN, "servers": ["github"]})
        assert added.json["servers"] == ["github"]

        for body, servers in (
            ({"servers": ["jira"]}, ["jira"]),
            ({"name": "E"}, ["jira"]),
            ({"servers": []}, []),
        ):
            assert (await at.ask("PATCH", one, DANA, body)).json["servers"] == servers
        wrong = await at.ask("PATCH", one, DANA, {"servers": ["gitlab"]})
        assert wrong.problem == (422, "invalid")

    run(play(tmp_path, story))


CI = {"email": "ci@services.example", "kind": "service", "responsible": BOB.email}


def test_a_service_account_goes_its_whole_way(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        assert (await at.post("people", DANA, {**CI, "responsible": ""})).problem[0] == 422
        assert (await at.post("people", DANA, CI)).status == 201
        one = f"people/{CI['email']}"
        shown = (await at.get(one, DANA)).json
        assert (shown["responsible"], shown["orphaned"]) == (BOB.email, False)
        assert (await at.get(f"people/{BOB.email}", DANA)).json["service_accounts"] == [CI["email"]]

        to = {"hand_to": ALICE.email}
        handed = await at.post(f"people/{BOB.email}/suspend", DANA, to)
        assert handed.json["service_accounts"] == [
            {"email": CI["email"], "outcome": "handed_over", "responsible": ALICE.email}
        ]
        gone = await at.post(f"people/{ALICE.email}/offboard", DANA, {"reason": "left"})
        assert gone.json["service_accounts"] == [
            {"email": CI["email"], "outcome": "suspended", "responsible": None}
        ]
        assert (await at.get(one, DANA)).json["state"] == "suspended"
        back = await at.post(f"people/{ALICE.email}/reinstate", DANA)
        assert [each["outcome"] for each in back.json["service_accounts"]] == ["suspended"]
        patched = await at.ask("PATCH", f"/api/v1/{one}", DANA, {"responsible": DANA.email})
        assert patched.status == 200
        assert (await at.get(one, DANA)).json["responsible"] == DANA.email

    run(play(tmp_path, story))
