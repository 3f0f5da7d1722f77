from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import (
    ALICE,
    ANONYMOUS,
    BOB,
    CAROL,
    DANA,
    DAY,
    JANE,
    MALLORY,
    Hall,
    person,
    play,
    rules,
)
from tests.torhaus.cast import NOW, run
from torhaus.admin.acts import DecideAccess, RequestAccess, RevokeGrant
from torhaus.model.announcement import Kind
from torhaus.model.grant import AccessRequest, Asked
from torhaus.model.people import Principal


async def asked(hall: Hall, role: str = "tech_lead", by: Principal = ALICE) -> AccessRequest:
    found: AccessRequest = await hall.done(by, RequestAccess(role, 3600.0, "release"))
    return found


async def granted(hall: Hall) -> str:
    """The id of a grant of tech_lead to Alice, made by Dana."""
    request = await asked(hall)
    done = await hall.done(DANA, DecideAccess(request.id, True))
    return str(done.grant)


def test_a_request_is_kept_recorded_and_told(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)

        assert (request.state, request.email, request.seconds) == (Asked.PENDING, ALICE.id, 3600)
        assert hall.ends() == [("access.requested", ALICE.email, "success")]
        assert hall.parameters()["role"] == "tech_lead"
        (told,) = hall.told
        assert told.kind is Kind.ACCESS_REQUESTED
        assert told.to == (BOB.email, DANA.email)

    run(play(tmp_path, story))


def test_a_grant_begins_with_the_decision_and_lasts_as_asked(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)
        hall.clock.turn(100)

        done = await hall.done(DANA, DecideAccess(request.id, True, comment="ok"))

        async with hall.office.read() as desk:
            (grant,) = await desk.access.in_force(NOW + 100)
        assert (grant.id, grant.user, grant.role) == (done.grant, ALICE.email, "tech_lead")
        assert (grant.begins, grant.ends, grant.notify) == (NOW + 100, NOW + 3700, 360.0)
        assert hall.effects[-1].grants
        assert hall.ends()[-1] == ("access.approved", DANA.email, "success")
        after = hall.parameters()["after"]
        assert (after["state"], after["grant"], after["ends"]) == ("approved", grant.id, NOW + 3700)

    run(play(tmp_path, story))


def test_whoever_decides_may_say_until_when(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)

        await hall.done(DANA, DecideAccess(request.id, True, until=NOW + 60))

        async with hall.office.read() as desk:
            (grant,) = await desk.access.in_force(NOW)
        assert grant.ends == NOW + 60

    run(play(tmp_path, story))


@pytest.mark.parametrize("until", [NOW, NOW - 1, NOW + 91 * DAY, float("nan"), float("inf")])
def test_an_end_must_be_near_and_ahead(until: float, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)

        refusal = await hall.refused(DANA, DecideAccess(request.id, True, until=until))

        assert refusal.code == "invalid"
        assert hall.effects[-1].act.operation == "access.requested"

    run(play(tmp_path, story))


def test_a_denied_request_grants_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)

        done = await hall.done(DANA, DecideAccess(request.id, False))
        again = await hall.refused(BOB, DecideAccess(request.id, True))

        assert (done.state, done.grant) == (Asked.DENIED, None)
        assert again.code == "conflict"
        async with hall.office.read() as desk:
            assert await desk.access.grants(10) == []

    run(play(tmp_path, story))


WHO_MAY_GRANT = [
    ("tech_lead", DANA, True),
    ("tech_lead", BOB, True),
    ("tech_lead", CAROL, False),
    ("tech_lead", JANE, False),
    ("tech_lead", MALLORY, False),
    ("tech_lead", ANONYMOUS, False),
    ("careful", CAROL, True),
    ("on_call", BOB, True),
    ("admin", BOB, False),
    ("admin", DANA, True),
    ("jira_admin", JANE, True),
    ("empty", BOB, False),
    ("empty", DANA, True),
]


@pytest.mark.parametrize(("role", "who", "may"), WHO_MAY_GRANT)
def test_nobody_gives_away_what_he_does_not_hold(
    role: str, who: Principal, may: bool, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall, role)

        act = DecideAccess(request.id, True)
        if may:
            assert (await hall.done(who, act)).state is Asked.APPROVED
            return
        assert (await hall.refused(who, act)).code == "not_allowed"
        assert hall.ends()[-1] == ("access.approved", who.email, "denied")

    run(play(tmp_path, story))


def test_nobody_decides_about_his_own_access(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall, "on_call", by=BOB)

        for approve in (True, False):
            refusal = await hall.refused(BOB, DecideAccess(request.id, approve))
            assert "his own access" in refusal.reason

    run(play(tmp_path, story))


NAN = float("nan")
IMPOSSIBLE: list[tuple[Principal, RequestAccess, str]] = [
    (ALICE, RequestAccess("no such role", 3600), "invalid"),
    (ALICE, RequestAccess("developer", 3600), "conflict"),
    (ALICE, RequestAccess("tech_lead", 59), "invalid"),
    (ALICE, RequestAccess("tech_lead", 91 * DAY), "invalid"),
    (ALICE, RequestAccess("tech_lead", NAN), "invalid"),
    (ALICE, RequestAccess("tech_lead", -3600), "invalid"),
    (ALICE, RequestAccess("tech_lead", 3600, "x" * 1001), "invalid"),
    (ALICE, RequestAccess("tech_lead", 3600, "\x00"), "invalid"),
    (ANONYMOUS, RequestAccess("tech_lead", 3600), "not_allowed"),
    (person("nobody", "empty"), RequestAccess("tech_lead", 3600), "not_allowed"),
]


@pytest.mark.parametrize(("who", "act", "code"), IMPOSSIBLE)
def test_what_cannot_be_asked_is_refused(
    who: Principal, act: RequestAccess, code: str, tmp_path: Path
) -> None:
    async def story(hall: Hall) -> None:
        refusal = await hall.refused(who, act)

        assert refusal.code == code
        assert hall.ends() == [("access.requested", who.email, "denied")]
        assert hall.told == []

    run(play(tmp_path, story))


def test_whose_access_has_ended_asks_for_none(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        gone = msgspec.structs.replace(ALICE, expires=NOW)
        hall.rules = rules(gone, DANA)

        refusal = await hall.refused(gone, RequestAccess("tech_lead", 3600))

        assert refusal.reason == "your access has ended"

    run(play(tmp_path, story))


def test_the_same_role_is_asked_for_once(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        await asked(hall)

        refusal = await hall.refused(ALICE, RequestAccess("tech_lead", 60))
        await asked(hall, "on_call")

        assert refusal.code == "conflict"

    run(play(tmp_path, story))


def test_a_comment_on_a_decision_is_readable(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)

        refusal = await hall.refused(DANA, DecideAccess(request.id, True, comment="\x07"))

        assert refusal.reason == "the comment holds control characters"

    run(play(tmp_path, story))


def test_an_old_request_cannot_be_decided(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)
        hall.clock.turn(7 * DAY)

        refusal = await hall.refused(DANA, DecideAccess(request.id, True))

        assert "has expired" in refusal.reason

    run(play(tmp_path, story))


def test_somebody_who_left_gets_nothing(tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        request = await asked(hall)
        hall.without(ALICE)

        refusal = await hall.refused(DANA, DecideAccess(request.id, True))

        assert "not in the configuration any more" in refusal.reason

    run(play(tmp_path, story))


UNKNOWN: list[tuple[Any, str]] = [
    (DecideAccess("unknown", True), "access.approved"),
    (RevokeGrant("unknown"), "access.revoked"),
    (RevokeGrant("file:12"), "access.revoked"),
]


@pytest.mark.parametrize(("act", "operation"), UNKNOWN)
def test_what_is_unknown_is_refused(act: Any, operation: str, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        refusal = await hall.refused(DANA, act)

        assert refusal.code == "not_found"
        assert hall.ends() == [(operation, DANA.email, "denied")]

    run(play(tmp_path, story))


@pytest.mark.parametrize("who", [DANA, BOB, CAROL, ALICE])
def test_administrators_and_the_one_who_has_it_end_a_grant(who: Principal, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        grant = await granted(hall)
        hall.clock.turn(10)

        done = await hall.done(who, RevokeGrant(grant))
        again = await hall.refused(who, RevokeGrant(grant))

        assert (done.revoked_by, done.revoked_at) == (who.id, NOW + 10)
        assert again.code == "conflict"
        assert hall.effects[-1].grants
        assert hall.parameters(-2)["before"] == {"ends": NOW + 3600}
        assert hall.parameters(-2)["after"] == {"ends": NOW + 10}

    run(play(tmp_path, story))


@pytest.mark.parametrize("who", [MALLORY, JANE])
def test_others_end_no_grant(who: Principal, tmp_path: Path) -> None:
    async def story(hall: Hall) -> None:
        grant = await granted(hall)

        refusal = await hall.refused(who, RevokeGrant(grant))

        assert refusal.code == "not_allowed"
        async with hall.office.read() as desk:
            assert len(await desk.access.in_force(NOW)) == 1

    run(play(tmp_path, story))
