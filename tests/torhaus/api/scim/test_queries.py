import pytest

from torhaus.api.scim.queries import PAGE, Query, query, texts
from torhaus.identity.scim.attributes import Kind
from torhaus.identity.scim.problem import ScimError
from torhaus.model.provisioning import Sought


def asked(kind: Kind = Kind.USER, **words: str) -> Query:
    return query("okta", kind, words)


def test_a_query_without_words_asks_for_the_first_page() -> None:
    assert asked() == Query(Sought(source="okta", kind="user"), 0, PAGE)


def test_filters_become_what_is_sought() -> None:
    found = asked(filter='userName eq "Erin@X" and externalId eq "A"').sought

    assert (found.name, found.external_id) == ("erin@x", "A")
    assert asked(filter='emails.value eq "Erin@X"').sought.email == "erin@x"
    work = 'emails[type eq "work"].value eq "Erin@X"'  # Entra ID, where people match by address
    assert asked(filter=work).sought.email == "erin@x"
    both = asked(filter=f'userName eq "e" and {work}').sought
    assert (both.name, both.email) == ("e", "erin@x")
    core = "urn:ietf:params:scim:schemas:core:2.0:User:userName"
    assert asked(filter=f'{core} eq "e"').sought.name == "e"
    group = asked(Kind.GROUP, filter='id eq "G" and members.value eq "u"')
    assert (group.sought.id, group.member) == ("G", "u")


def test_pages_stay_within_bounds() -> None:
    assert asked(startIndex="-3", count="0").start == 0
    assert asked(startIndex="5", count="9999").most == 200
    assert asked(startIndex="5").start == 4
    assert asked(count="-1").most == 0


@pytest.mark.parametrize(
    "words",
    [
        {"filter": "active eq true"},
        {"filter": 'nickName eq "x"'},
        {"filter": "userName eq true"},
        {"filter": 'emails[type eq "home"].value eq "x"'},
        {"filter": 'userName[type eq "work"].value eq "x"'},
        {"startIndex": "x"},
        {"count": "9" * 99},
        {"count": "--1"},
    ],
)
def test_what_is_not_understood_is_refused(words: dict[str, str]) -> None:
    with pytest.raises(ScimError):
        query("okta", Kind.USER, words)
    with pytest.raises(ScimError):
        query("okta", Kind.GROUP, {"filter": 'members eq "u"'})


def test_a_body_says_the_same_as_an_address() -> None:
    found = texts({"attributes": ["id", "userName"], "count": 3, "filter": "f", "x": {}})

    assert found == {"attributes": "id,userName", "count": "3", "filter": "f"}
