"""The routes; the story has them with a real mail server."""

from pathlib import Path

from tests.torhaus.admin.hall import ALICE, DANA
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run

ERIN = {"email": "erin@example.org", "roles": ["developer"]}


def test_people_are_asked_in_and_that_is_taken_back(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        made = await at.post("invitations", DANA, ERIN)
        assert made.status == 201, made.json
        assert made.json["link"].startswith("https://gw.example.org/invite/")
        assert made.json["delivery"].startswith("not sent")
        one = f"invitations/{made.json['id']}"

        again = await at.post(f"{one}/resend", DANA, {"link": True})
        assert (again.status, again.json["delivery"]) == (200, "")
        [listed] = (await at.get("invitations", DANA)).json
        assert listed["link"] is None
        assert (await at.get("invitations", ALICE)).json == []
        assert (await at.post("invitations", ALICE, ERIN)).status == 403
        assert (await at.post(f"{one}/revoke", DANA)).json["state"] == "revoked"

    run(play(tmp_path, story))
