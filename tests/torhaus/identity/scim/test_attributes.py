from typing import Any

import pytest

from torhaus.identity.scim.attributes import Kind, canonical, fitting, kept, one_primary, single
from torhaus.identity.scim.problem import ScimError


def test_what_is_not_needed_is_left_out_and_names_have_one_spelling() -> None:
    sent = {
        "schemas": ["x"],
        "USERNAME": "erin",
        "password": "secret",
        "name": {"GivenName": "Erin", "middleName": "X"},
        "emails": "erin@company.local",
        "active": "False",
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": {"department": "D"},
    }

    assert kept(Kind.USER, sent) == {
        "userName": "erin",
        "name": {"givenName": "Erin"},
        "emails": [{"value": "erin@company.local"}],
        "active": False,
    }


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"userName": ""},
        {"userName": 7},
        {"userName": "a\nb"},
        {"userName": "a" * 513},
        {"userName": "a", "active": "maybe"},
        {"userName": "a", "active": 1},
        {"userName": "a", "name": "Erin"},
        {"userName": "a", "emails": [{"type": "work"}]},
        {"userName": "a", "emails": [7]},
        {"userName": "a", "emails": [{"value": f"{n}@x"} for n in range(21)]},
    ],
)
def test_what_has_a_wrong_type_is_refused(sent: dict[str, Any]) -> None:
    with pytest.raises(ScimError) as error:
        kept(Kind.USER, sent)

    assert (error.value.status, error.value.kind) == (400, "invalidValue")


def test_of_several_primary_ones_one_stays() -> None:
    items = [{"value": "a", "primary": True}, {"value": "b", "primary": True}]

    one_primary(items)
    assert [each["primary"] for each in items] == [False, True]
    items[0]["primary"] = True
    one_primary(items, items[0])
    assert [each["primary"] for each in items] == [True, False]


def test_values_fit_their_attributes() -> None:
    assert canonical("DISPLAYNAME", ("displayName",)) == "displayName"
    assert canonical("nope", ("displayName",)) is None
    assert single("active", "TRUE") is True
    assert fitting(Kind.GROUP, "members", {"value": "1", "$ref": "x"}) == [{"value": "1"}]
