from typing import Any

import pytest

from torhaus.identity.scim.reading import active, address, name


@pytest.mark.parametrize(
    ("emails", "expected"),
    [
        ([{"value": "A@x.local"}, {"value": "b@x.local", "primary": True}], "b@x.local"),
        ([{"value": "a@x.test"}, {"value": "B@x.test", "type": "Work"}], "b@x.test"),
        ([{"value": "A@X.test"}, {"value": "b@x.test"}], "a@x.test"),
        ([{"value": "nonsense", "primary": True}], "erin@company.local"),
        ([], "erin@company.local"),
    ],
)
def test_a_user_is_known_by_his_best_address(emails: list[Any], expected: str) -> None:
    assert address({"userName": "Erin@company.local", "emails": emails}) == expected


def test_somebody_without_an_address_is_nobody() -> None:
    assert address({"userName": "erin"}) is None


def test_names_are_found_where_they_are() -> None:
    assert name({"displayName": "E", "name": {"formatted": "F"}}) == "E"
    assert name({"name": {"formatted": "F"}}) == "F"
    assert name({"name": {"givenName": "E", "familyName": "X"}}) == "E X"
    assert name({}) == ""
    assert len(name({"displayName": "x" * 500})) == 200


def test_who_is_not_said_to_be_away_is_here() -> None:
    assert active({})
    assert not active({"active": False})
