from typing import Any

import msgspec
import pytest

from tests.torhaus.admin.hall import ALICE, BOB, DANA, DAY, rules
from tests.torhaus.cast import NOW
from torhaus.admin.notices import due
from torhaus.model.announcement import Kind
from torhaus.model.grant import Grant


def grant(**changes: Any) -> Grant:
    made = Grant(
        id="file:12",
        user=ALICE.email,
        role="tech_lead",
        begins=NOW - DAY,
        ends=NOW + 3600,
        notify=3600.0,
    )
    return msgspec.structs.replace(made, **changes)


def keys(*grants: Grant, now: float = NOW) -> list[str]:
    return [key for key, _ in due(rules(ALICE, DANA, grants=grants), now)]


def test_user_and_administrators_are_told_before_a_grant_ends() -> None:
    ((key, told),) = due(rules(ALICE, DANA, grants=(grant(),)), NOW)

    assert key == f"grant:{ALICE.email}:tech_lead:{NOW + 3600:.0f}"
    assert told.kind is Kind.ACCESS_EXPIRING
    assert told.to == (ALICE.email, DANA.email)
    assert told.text.startswith(f"The role tech_lead of {ALICE.email} ends 2026-09-")


@pytest.mark.parametrize(
    "not_yet",
    [
        grant(notify=None),
        grant(notify=3599.0),
        grant(ends=NOW),
        grant(begins=NOW + 1),
    ],
)
def test_nobody_is_told_too_early_or_too_late(not_yet: Grant) -> None:
    assert keys(not_yet) == []


def test_access_that_was_prolonged_is_announced_again() -> None:
    assert keys(grant()) != keys(grant(ends=NOW + 3000))


def test_another_line_of_the_file_is_not_another_grant() -> None:
    assert keys(grant()) == keys(grant(id="file:99"))


@pytest.mark.parametrize(("ends", "told"), [(0.0, 0), (1.0, 1), (7 * DAY, 1), (7 * DAY + 1, 0)])
def test_users_are_told_a_week_before_their_access_ends(ends: float, told: int) -> None:
    leaving = msgspec.structs.replace(BOB, expires=NOW + ends)

    found = list(due(rules(leaving, DANA), NOW))

    assert [(key, each.to) for key, each in found] == [
        (f"user:{BOB.id}:{NOW + ends:.0f}", (BOB.email, DANA.email))
    ] * told


def test_an_administrator_is_told_once_of_himself() -> None:
    leaving = msgspec.structs.replace(DANA, expires=NOW + DAY)

    ((_, told),) = due(rules(leaving), NOW)

    assert told.to == (DANA.email,)
