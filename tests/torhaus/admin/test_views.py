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
    play,
    rules,
)
from tests.torhaus.cast import NOW, run
from torhaus.admin.acts import DecideAccess, DecideApproval, RequestAccess
from torhaus.model.approval import State
from torhaus.model.grant import Asked
from torhaus.model.people import Principal

SEES = [
    (ALICE, True),
    (BOB, True),
    (CAROL, True),
    (DANA, True),
    (ANONYMOUS, True),
    (JANE, False),
    (MALLORY, False),
]


@pytest.mark.parametrize(("who", "sees"), SEES)
def test_requesters_approvers_and_administrators_see_a_request(
    who: Principal, sees: bool, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.asked()
        view = hall.view(who)

        assert await hall.books.approvals(view, None, 10) == ([asked] if sees else [])
        assert await hall.books.approval(view, asked.id) == (asked if sees else None)

    run(play(tmp_path, story))


def test_an_approver_named_by_a_policy_sees_what_he_may_decide(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        named = await hall.asked(approvers=(("mallory@example.org",),), digest=b"1")
        await hall.asked(approvers=(("leads",),), digest=b"2")

        found = await hall.books.approvals(hall.view(MALLORY), None, 10)

        assert found == [named]
        assert hall.view(MALLORY).can_decide(named)
        assert not hall.view(DANA).can_decide(named)

    run(play(tmp_path, story))


def test_lists_are_as_long_as_asked_and_by_state(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        for number in range(5):
            hall.clock.turn(1)
            await hall.asked(digest=bytes([number]))
        first = (await hall.books.approvals(hall.view(BOB), None, 10))[-1]
        await hall.done(BOB, DecideApproval(first.id, False))

        pending = await hall.books.approvals(hall.view(BOB), State.PENDING, 3)
        denied = await hall.books.approvals(hall.view(BOB), State.DENIED, 3)

        assert [each.created - NOW for each in pending] == [5, 4, 3]
        assert [each.id for each in denied] == [first.id]

    run(play(tmp_path, story))


@pytest.mark.parametrize(
    ("who", "sees"), [(ALICE, True), (BOB, True), (DANA, True), (JANE, False), (MALLORY, False)]
)
def test_requests_for_access_and_grants_are_seen_by_those_concerned(
    who: Principal, sees: bool, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.done(ALICE, RequestAccess("tech_lead", 3600.0))
        done = await hall.done(DANA, DecideAccess(asked.id, True))
        view = hall.view(who)

        requests = await hall.books.requests(view, Asked.APPROVED, 10)
        grants = await hall.books.grants(view, 10)

        assert [each.id for each in requests] == ([asked.id] if sees else [])
        assert [each.grant.id for each in grants] == ([done.grant] if sees else [])
        assert await hall.books.request(view, asked.id) == (done if sees else None)

    run(play(tmp_path, story))


def test_whoever_may_grant_is_told_so(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        asked = await hall.done(ALICE, RequestAccess("tech_lead", 3600.0))

        assert hall.view(DANA).can_grant(asked)
        assert not hall.view(CAROL).can_grant(asked)
        assert not hall.view(ALICE).can_grant(asked)

    run(play(tmp_path, story))


def test_expired_access_sees_its_own_and_nothing_else(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        gone = msgspec.structs.replace(BOB, expires=NOW)
        hall.rules = rules(gone, ALICE, DANA)
        asked = await hall.asked()

        assert await hall.books.approvals(hall.view(gone), None, 10) == []
        assert await hall.books.shown(asked.id) == asked

    run(play(tmp_path, story))
