from typing import Any

import pytest

from torhaus.identity.scim.attributes import Document, Kind
from torhaus.identity.scim.patching import patched
from torhaus.identity.scim.problem import ScimError

ERIN: Document = {"userName": "erin", "emails": [{"value": "a@x", "type": "home"}]}
TEAM: Document = {"displayName": "t", "members": [{"value": "1"}, {"value": "2"}, {"value": "3"}]}


def user(*operations: Any) -> Document:
    return patched(Kind.USER, ERIN, {"Operations": list(operations)})


def ids(*operations: Any) -> list[str]:
    found = patched(Kind.GROUP, TEAM, {"operations": list(operations)})
    return [each["value"] for each in found.get("members", [])]


def op(op: str, path: str | None = None, value: Any = None) -> dict[str, Any]:
    named = {"op": op, "path": path, "value": value}
    return {name: each for name, each in named.items() if each is not None}


def test_the_shapes_of_okta_and_entra_id() -> None:
    assert user(op("Replace", "active", "False"))["active"] is False
    assert user(op("replace", None, {"active": False}))["active"] is False
    found = user(op("Add", None, {"name.givenName": "E", "id": "7", "phoneNumbers": []}))
    assert found["name"] == {"givenName": "E"}
    assert found == {**ERIN, "name": {"givenName": "E"}}


@pytest.mark.parametrize("verb", ["Add", "Replace"])
def test_an_address_for_work_is_made_where_there_is_none(verb: str) -> None:
    found = user(op(verb, 'emails[type eq "work"].value', "b@x"))

    assert found["emails"] == [ERIN["emails"][0], {"type": "work", "value": "b@x"}]
    assert ERIN["emails"] == [{"value": "a@x", "type": "home"}]


def test_values_of_lists_are_added_once_replaced_and_removed() -> None:
    assert ids(op("add", "members", [{"value": "3"}, {"value": "4"}])) == ["1", "2", "3", "4"]
    assert ids(op("add", "members", {"value": "4"})) == ["1", "2", "3", "4"]
    assert ids(op("replace", "members", [{"value": "9"}, {"value": "9"}])) == ["9"]
    assert ids(op("remove", 'members[value eq "2"]')) == ["1", "3"]
    assert ids(op("Remove", "members", [{"value": "1"}, {"value": "3"}])) == ["2"]
    assert ids(op("remove", "members")) == []
    assert ids(op("replace", "members", [])) == []


def test_parts_and_single_values_are_set_and_removed() -> None:
    done = user(
        op("add", "name", {"givenName": "E", "familyName": "X"}),
        op("remove", "name.givenName"),
        op("add", "title", "Chief"),
        op("remove", "title"),
        op("replace", 'emails[type eq "home"]', {"primary": True}),
        op("add", "emails", {"value": "b@x", "primary": "True"}),
        op("remove", 'emails[value eq "b@x"].primary'),
    )

    assert done["name"] == {"familyName": "X"}
    assert "title" not in done
    assert [each.get("primary") for each in done["emails"]] == [False, None]


@pytest.mark.parametrize(
    ("operation", "kind"),
    [
        (op("move", "active", True), "invalidSyntax"),
        (op("remove"), "noTarget"),
        (op("add", "title"), "invalidValue"),
        (op("add", None, "x"), "invalidValue"),
        (op("remove", "userName"), "invalidValue"),
        (op("replace", "userName", ""), "invalidValue"),
        (op("replace", "id", "x"), "mutability"),
        (op("replace", 'emails[type eq "x" or type eq "y"].value', "x"), "invalidFilter"),
        (op("remove", 'emails[type eq "home"].value'), "invalidValue"),
        ({"op": "add", "path": 7, "value": 1}, "invalidSyntax"),
        ("add", "invalidSyntax"),
    ],
)
def test_what_makes_no_sense_is_refused_with_all_that_came_with_it(
    operation: Any, kind: str
) -> None:
    with pytest.raises(ScimError) as error:
        user(op("replace", "active", False), operation)

    assert error.value.kind == kind
    assert "active" not in ERIN


@pytest.mark.parametrize(
    "body", [{}, {"Operations": []}, {"Operations": {}}, {"Operations": [1] * 1001}]
)
def test_operations_are_a_list(body: dict[str, Any]) -> None:
    with pytest.raises(ScimError):
        patched(Kind.USER, ERIN, body)


def test_only_members_that_are_there_are_changed() -> None:
    with pytest.raises(ScimError) as error:
        ids(op("replace", 'members[value eq "9"].display', "x"))

    assert error.value.kind == "noTarget"
