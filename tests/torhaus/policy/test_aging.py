import pytest

from torhaus.model.vault import Kept, Rotation, Standing, VaultKind
from torhaus.policy.aging import Aged, aged, rotate_by

DAY = 86400.0


def kept(kind: VaultKind = VaultKind.BEARER, state: Standing = Standing.CURRENT) -> Kept:
    times = {"created": 0.0, "rotated": 0.0, "created_by": "dana@example.org"}
    return Kept(id="1", server="github", kind=kind, state=state, key_id="", sealed=b"", **times)


@pytest.mark.parametrize(
    ("days", "found"),
    [
        (0, None),
        (79.99, None),
        (80, Aged.DUE),
        (89.99, Aged.DUE),
        (90, Aged.OVER),
        (900, Aged.OVER),
    ],
)
def test_people_are_told_at_eighty_days_and_ninety_are_allowed(days: float, found: Aged | None):
    assert aged(kept(), Rotation(), days * DAY) is found


@pytest.mark.parametrize(
    "row", [kept(state=Standing.PREVIOUS), kept(VaultKind.OAUTH_USER), kept(VaultKind.OAUTH_CLIENT)]
)
def test_what_was_replaced_or_renews_itself_is_never_too_old(row: Kept):
    assert aged(row, Rotation(), 900 * DAY) is None
    assert rotate_by(row, Rotation()) is None


def test_the_day_is_said_from_the_beginning():
    assert rotate_by(kept(), Rotation(limit=30 * DAY)) == 30 * DAY
