import msgspec

from tests.torhaus.admin.provisioning.pushed import group, user
from torhaus.admin.acts import Refusal
from torhaus.api.scim.answers import listed, only, problem, refused, resource, said
from torhaus.audit.acts import Act
from torhaus.identity.scim.problem import ScimError

BASE = "https://gw.example/scim/v2"


def test_a_resource_says_where_it_is() -> None:
    found = resource(group("Devs", "u1"), BASE)

    assert found["meta"]["location"] == f"{BASE}/Groups/g1"
    assert found["members"] == [{"value": "u1", "$ref": f"{BASE}/Users/u1"}]
    assert found["schemas"] == ["urn:ietf:params:scim:schemas:core:2.0:Group"]


def test_attributes_are_chosen() -> None:
    found = resource(user(title="Chief"), BASE)

    assert set(only(found, "title, name.givenName", None)) == {"schemas", "id", "title"}
    assert "title" not in only(found, None, "TITLE,id")
    core = "urn:ietf:params:scim:schemas:core:2.0:User"
    assert set(only(found, f"{core}:title,{core}:emails.value", None)) - {"emails"} == {
        "schemas",
        "id",
        "title",
    }
    assert "title" not in only(found, None, f"{core}:Title")
    assert only(found, None, "id")["id"] == "u1"


def test_problems_have_the_shape_of_the_standard() -> None:
    answer = problem(ScimError(409, "there is one", "uniqueness"))

    assert answer.media_type == "application/scim+json"
    assert msgspec.json.decode(bytes(answer.body)) == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "409",
        "detail": "there is one",
        "scimType": "uniqueness",
    }


def test_refusals_become_problems() -> None:
    act = Act(operation="x")

    assert refused(Refusal("taken", "r", act)).kind == "uniqueness"
    found = refused(Refusal("conflict", "r", act, "fix"))
    assert (found.status, found.detail) == (409, "r: fix")
    assert refused(Refusal("unavailable", "r", act)).status == 503
    assert said(200, listed([], 0)).status_code == 200
