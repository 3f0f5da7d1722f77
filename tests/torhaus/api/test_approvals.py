from pathlib import Path

import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, JANE, MALLORY
from tests.torhaus.api.counter import Counter, play
from tests.torhaus.cast import run
from torhaus.model.approval import State


def test_a_request_is_listed_shown_and_approved(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = await at.hall.asked(arguments='{"title":"grün","nested":[1]}')

        (listed,) = (await at.get("approvals?state=pending", BOB)).json
        shown = (await at.get(f"approvals/{asked.id}", BOB)).json
        done = await at.post(f"approvals/{asked.id}/approve", BOB, {"comment": "go"})

        assert listed == shown
        assert shown == {
            "id": asked.id,
            "state": "pending",
            "server": "github",
            "tool": "merge_pull_request",
            "arguments": {"title": "grün", "nested": [1]},
            "policy": "merges",
            "reason": "merges need a second person",
            "requester": ALICE.email,
            "created": "2026-09-21T14:13:20.000Z",
            "expires": "2026-09-21T14:28:20.000Z",
            "decided_by": None,
            "decided_at": None,
            "comment": "",
            "can_decide": True,
        }
        assert done.status == 200
        assert (done.json["state"], done.json["decided_by"]) == ("approved", BOB.id)
        assert (done.json["comment"], done.json["can_decide"]) == ("go", False)
        assert at.hall.ledger.durable[-1].user.ip == "127.0.0.1"

    run(play(tmp_path, story))


def test_a_denial_needs_no_body(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = await at.hall.asked()

        done = await at.post(f"approvals/{asked.id}/deny", BOB)

        assert done.json["state"] == "denied"

    run(play(tmp_path, story))


def test_the_requester_may_look_and_cancel_but_not_decide(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = await at.hall.asked()

        shown = await at.get(f"approvals/{asked.id}", ALICE)
        refused = await at.post(f"approvals/{asked.id}/approve", ALICE)
        cancelled = await at.post(f"approvals/{asked.id}/cancel", ALICE)
        late = await at.post(f"approvals/{asked.id}/approve", BOB)

        assert shown.json["can_decide"] is False
        assert refused.problem == (403, "not_allowed")
        assert "his own call" in refused.json["detail"]
        assert cancelled.json["state"] == "cancelled"
        assert late.problem == (409, "conflict")

    run(play(tmp_path, story))


@pytest.mark.parametrize("who", [JANE, MALLORY])
def test_others_see_nothing_and_decide_nothing(who: object, tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = await at.hall.asked()
        assert who in (JANE, MALLORY)
        other = JANE if who is JANE else MALLORY

        assert (await at.get("approvals", other)).json == []
        assert (await at.get(f"approvals/{asked.id}", other)).problem == (404, "not_found")
        assert (await at.post(f"approvals/{asked.id}/approve", other)).problem[0] == 403
        assert await at.hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))


def test_an_approver_who_lost_his_right_sees_so(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        asked = await at.hall.asked()
        at.hall.changed(BOB, "developer")

        assert (await at.post(f"approvals/{asked.id}/approve", BOB)).problem[0] == 403
        assert (await at.get("approvals", BOB)).json == []

    run(play(tmp_path, story))


def test_arguments_that_are_no_json_stay_text(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for number, text in enumerate(('{"_trunc', "[" * 5000)):
            asked = await at.hall.asked(arguments=text, digest=bytes([number]))

            assert (await at.get(f"approvals/{asked.id}", DANA)).json["arguments"] == text

    run(play(tmp_path, story))


def test_lists_are_as_long_as_asked(tmp_path: Path) -> None:
    async def story(at: Counter) -> None:
        for number in range(3):
            await at.hall.asked(digest=bytes([number]))

        assert len((await at.get("approvals?limit=2", BOB)).json) == 2
        for wrong in ("limit=0", "limit=201", "limit=x", "state=open"):
            assert (await at.get(f"approvals?{wrong}", BOB)).problem == (422, "invalid")

    run(play(tmp_path, story))
