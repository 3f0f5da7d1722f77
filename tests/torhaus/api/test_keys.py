from pathlib import Path

from tests.torhaus.admin.hall import ALICE, BOB, DANA
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import NOW, run
from tests.torhaus.store.state.people import credential, family
from torhaus.identity.keys import digest, well_formed


def test_a_key_is_shown_once_and_kept_as_its_digest(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        body = {"label": "ci", "scopes": ["github:read"], "expires": "2027-01-01T00:00:00Z"}
        made = await at.post("keys", ALICE, body)

        assert made.status == 201
        assert well_formed(made.json["key"], "thk_")
        assert (made.json["person"], made.json["scopes"]) == (ALICE.email, ["github:read"])
        (listed,) = (await at.get("keys", ALICE)).json
        assert "key" not in listed
        assert (listed["id"], listed["expires"]) == (made.json["id"], "2027-01-01T00:00:00.000Z")
        async with at.hall.office.read() as desk:
            kept = await desk.credentials.get(digest(made.json["key"]))
        assert kept is not None
        assert made.json["key"] not in str(at.hall.ledger.durable)

        gone = await at.ask("DELETE", f"/api/v1/keys/{made.json['id']}", ALICE)
        assert (gone.status, gone.json["ended_by"]) == (200, ALICE.email)
        assert (await at.get("keys", ALICE)).json[0]["ended_by"] == ALICE.email

    run(play(tmp_path, story))


def test_keys_of_others_are_for_those_who_have_the_right(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        made = await at.post("keys", DANA, {"label": "x", "person": ALICE.email})
        assert made.status == 201
        assert (await at.post("keys", BOB, {"label": "x", "person": ALICE.email})).problem[0] == 403
        assert (await at.get(f"keys?person={ALICE.email}", BOB)).json == []
        assert len((await at.get(f"keys?person={ALICE.email}", DANA)).json) == 1
        assert len((await at.get("keys?person=*", DANA)).json) == 1
        assert (await at.get("keys?person=*", BOB)).json == []
        one = f"/api/v1/keys/{made.json['id']}"
        assert (await at.ask("DELETE", one, BOB)).problem[0] == 403
        assert (await at.ask("DELETE", one, DANA)).status == 200
        assert (await at.ask("DELETE", one, DANA)).problem[0] == 409

    run(play(tmp_path, story))


def test_wrong_keys_are_problems(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for body in ({}, {"label": "x", "scopes": ["mcp"]}, {"label": "x", "server": "nowhere"}):
            assert (await at.post("keys", ALICE, body)).status == 422

    run(play(tmp_path, story))


def test_sessions_are_listed_and_ended(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        async with at.hall.office.write() as desk:
            await desk.families.add(family("f1", email=ALICE.email, expires=NOW + 60))
            await desk.families.add(family("f2", email=ALICE.email, expires=NOW - 1))
            await desk.credentials.add(credential("c1", email=ALICE.email, family="f1"), "")

        assert [each["id"] for each in (await at.get("sessions", ALICE)).json] == ["f1"]
        assert (await at.get(f"sessions?person={ALICE.email}", BOB)).json == []
        assert (await at.ask("DELETE", "/api/v1/sessions/f1", BOB)).problem[0] == 403
        assert (await at.ask("DELETE", "/api/v1/sessions/f1", ALICE)).status == 200
        assert (await at.get("sessions", ALICE)).json == []
        assert at.hall.effects[-1].ended == (credential("c1").digest,)

    run(play(tmp_path, story))
