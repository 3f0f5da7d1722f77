import pytest

from torhaus.identity.scim.attributes import CORE, Kind
from torhaus.identity.scim.paths import Path, Term, holds, path, terms
from torhaus.identity.scim.problem import ScimError

WORK = (Term("type", "work"),)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("active", Path("active")),
        ("ACTIVE", Path("active")),
        ("name.givenname", Path("name", (), "givenName")),
        ('emails[type eq "work"].value', Path("emails", WORK, "value")),
        ('emails[type EQ "work"]', Path("emails", WORK)),
        (f"{CORE[Kind.USER]}:userName", Path("userName")),
        ("phoneNumbers", None),
        ('addresses[type eq "work"].formatted', None),
        ("name.middleName", None),
        ("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:manager", None),
    ],
)
def test_a_path_is_read_or_means_nothing_that_is_kept(text: str, meant: Path | None) -> None:
    assert path(Kind.USER, text) == meant


@pytest.mark.parametrize("text", ["", "a b", "emails[", "emails[]", "a[[x]]", "a" * 99, "a.b.c"])
def test_other_paths_are_refused(text: str) -> None:
    with pytest.raises(ScimError) as error:
        path(Kind.USER, text)

    assert error.value.kind == "invalidPath"


@pytest.mark.parametrize("text", ["id", "meta", "groups", "meta.created"])
def test_what_is_ours_is_not_changed(text: str) -> None:
    with pytest.raises(ScimError) as error:
        path(Kind.USER, text)

    assert error.value.kind == "mutability"


def test_filters_are_terms_joined_by_and() -> None:
    found = terms(r'userName eq "a\"b" and active eq TRUE')

    assert found == (Term("userName", 'a"b'), Term("active", True))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "userName",
        'userName co "a"',
        'userName eq "a" or active eq true',
        'not (userName eq "a")',
        'userName eq "a',
        'userName eq "a" and',
        'userName eq "\\q"',
        " and ".join(['a eq "b"'] * 5),
        'a eq "' + "\\" * 5000,
    ],
)
def test_other_filters_are_refused(text: str) -> None:
    with pytest.raises(ScimError) as error:
        terms(text)

    assert error.value.kind == "invalidFilter"


def test_terms_hold_whatever_the_case() -> None:
    item = {"type": "Work", "primary": True}

    assert holds(item, (Term("TYPE", "wORK"), Term("primary", "true")))
    assert not holds(item, (Term("type", "home"),))
    assert not holds(item, (Term("primary", False),))
    assert not holds(item, (Term("value", "x"),))
    assert holds(item, ())
