from pathlib import Path

import msgspec
import pytest

from tests.torhaus.admin.hall import (
    ALICE,
    ANONYMOUS,
    BOB,
    CAROL,
    DANA,
    JANE,
    MALLORY,
    Hall,
    person,
    play,
    rules,
)
from tests.torhaus.cast import NOW, run
from torhaus.admin.acts import CancelApproval, DecideApproval
from torhaus.model.announcement import Kind
from torhaus.model.approval import State
from torhaus.model.people import Principal


def test_an_approval_is_kept_recorded_and_told(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()

        done = await hall.done(BOB, DecideApproval(asked.id, True, "go ahead"))

        assert (done.state, done.decided_by, done.comment) == (State.APPROVED, BOB.id, "go ahead")
        assert await hall.state(asked.id) is State.APPROVED
        assert hall.ends()[-1] == ("approval.approved", BOB.email, "success")
        assert hall.parameters() == {
            "approval": asked.id,
            "tool": "merge_pull_request",
            "policy": "merges",
            "requester": ALICE.email,
            "decided_by": BOB.id,
            "before": {"state": "pending"},
            "after": {"state": "approved"},
        }
        record = hall.ledger.durable[-1]
        assert (record.mcp_server, record.user.role, record.user.ip) == (
            "github",
            "tech_lead",
            "192.0.2.7",
        )
        assert [each.kind for each in hall.told] == [
            Kind.APPROVAL_REQUESTED,
            Kind.APPROVAL_DECIDED,
        ]
        assert hall.told[-1].to == (ALICE.email,)

    run(play(tmp_path, story))


def test_a_denial_is_kept_and_recorded(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()

        done = await hall.done(BOB, DecideApproval(asked.id, False))

        assert done.state is State.DENIED
        assert hall.ends()[-1] == ("approval.denied", BOB.email, "success")

    run(play(tmp_path, story))


OTHER_NAME = person("ALICE", "admin", id="u-17", email="Alice@Example.org")

WHO_MAY: list[tuple[tuple[tuple[str, ...], ...], Principal, bool]] = [
    ((), BOB, True),
    ((), DANA, True),
    ((), CAROL, True),
    ((), JANE, False),
    ((), MALLORY, False),
    ((("tech_lead",),), BOB, True),
    ((("tech_lead",),), DANA, False),
    ((("leads",),), BOB, True),
    ((("BOB@example.ORG",),), BOB, True),
    ((("Tech_Lead",),), BOB, False),
    ((("tech_lead",), ("bob@example.org",)), BOB, True),
    ((("tech_lead",), ("dana@example.org",)), BOB, False),
    ((("tech_lead",), ()), BOB, True),
    ((("jira_admin",), ()), JANE, False),
    ((("alice@example.org", "developer"),), ALICE, False),
]


@pytest.mark.parametrize(("approvers", "who", "may"), WHO_MAY)
def test_an_approver_satisfies_every_list(
    approvers: tuple[tuple[str, ...], ...], who: Principal, may: bool, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked(approvers=approvers)

        act = DecideApproval(asked.id, True)
        if may:
            await hall.done(who, act)
            return
        refusal = await hall.refused(who, act)

        assert refusal.code == "not_allowed"
        assert await hall.state(asked.id) is State.PENDING
        assert hall.ends()[-1] == ("approval.approved", who.email, "denied")

    run(play(tmp_path, story))


@pytest.mark.parametrize("self_made", [ALICE, OTHER_NAME], ids=["same id", "same address"])
def test_nobody_approves_his_own_call(self_made: Principal, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        hall.rules = rules(BOB, OTHER_NAME, ALICE)
        asked = await hall.asked()

        for approve in (True, False):
            refusal = await hall.refused(self_made, DecideApproval(asked.id, approve))
            assert "his own call" in refusal.reason
        assert await hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))


def test_anonymous_callers_decide_nothing_that_anonymous_callers_asked(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked(requester="anonymous", email="anonymous")

        refusal = await hall.refused(ANONYMOUS, DecideApproval(asked.id, True))

        assert refusal.code == "not_allowed"

    run(play(tmp_path, story))


def test_whoever_is_not_in_the_configuration_any_more_decides_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        hall.without(BOB)

        refusal = await hall.refused(BOB, DecideApproval(asked.id, True))

        assert "not in the configuration any more" in refusal.reason

    run(play(tmp_path, story))


def test_expired_access_decides_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        leaving = msgspec.structs.replace(BOB, expires=NOW)
        hall.rules = rules(leaving, ALICE)

        for approvers in ((), (("bob@example.org",),)):
            asked = await hall.asked(approvers=approvers, digest=repr(approvers).encode())
            refusal = await hall.refused(leaving, DecideApproval(asked.id, True))
            assert refusal.code == "not_allowed"

    run(play(tmp_path, story))


def test_a_decision_comes_once_and_in_time(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        await hall.done(BOB, DecideApproval(asked.id, False))

        again = await hall.refused(DANA, DecideApproval(asked.id, True))
        other = await hall.asked(digest=b"another")
        hall.clock.turn(900)
        late = await hall.refused(BOB, DecideApproval(other.id, True))

        assert again.code == late.code == "conflict"
        assert again.reason == "this request is denied by bob@example.org already"
        assert "has expired" in late.reason
        assert await hall.state(asked.id) is State.DENIED

    run(play(tmp_path, story))


def test_an_unknown_request_is_a_refusal_with_a_record(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        refusal = await hall.refused(BOB, DecideApproval("x" * 500, True))
        withdrawn = await hall.refused(BOB, CancelApproval("nothing"))

        assert refusal.code == withdrawn.code == "not_found"
        assert hall.parameters(0) == {"approval": "x" * 64}

    run(play(tmp_path, story))


@pytest.mark.parametrize("comment", ["x" * 1001, "a\x00b", "\x1b[2J", "\ud800"])
def test_a_comment_is_short_and_readable(comment: str, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()

        refusal = await hall.refused(BOB, DecideApproval(asked.id, True, comment))
        await hall.done(BOB, DecideApproval(asked.id, True, "grün\n\t👍🏽 ok"))

        assert refusal.code == "invalid"

    run(play(tmp_path, story))


def test_the_requester_withdraws_and_an_administrator_takes_back(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        own = await hall.asked(digest=b"one")
        other = await hall.asked(digest=b"two")
        await hall.done(BOB, DecideApproval(other.id, True))

        await hall.done(ALICE, CancelApproval(own.id))
        await hall.done(DANA, CancelApproval(other.id))
        again = await hall.refused(DANA, CancelApproval(other.id))

        assert await hall.state(own.id) is await hall.state(other.id) is State.CANCELLED
        assert again.code == "conflict"
        assert hall.ledger.durable[-2].operation == "approval.cancelled"

    run(play(tmp_path, story))


@pytest.mark.parametrize("who", [MALLORY, JANE])
def test_others_withdraw_nothing(who: Principal, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()

        refusal = await hall.refused(who, CancelApproval(asked.id))

        assert refusal.code == "not_allowed"
        assert await hall.state(asked.id) is State.PENDING

    run(play(tmp_path, story))
