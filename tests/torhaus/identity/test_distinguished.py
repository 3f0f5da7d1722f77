"""Names of a directory, and when two of them are one."""

import pytest

from torhaus.identity.distinguished import below, canonical, parts

BASE = "ou=groups,dc=example,dc=com"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("CN=Devs,OU=Groups,DC=Example,DC=com", "cn=devs, ou=groups , dc=example,dc=com"),
        (r"cn=a\,b,dc=x", r"cn=a\2Cb,dc=x"),
        (r"cn=a\2ab,dc=x", "cn=a*b,dc=x"),
        (r"cn=J\C3\B6rg,dc=x", "cn=Jörg,dc=x"),
        ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x"),
        (r"cn=a\ ,dc=x", r"cn=a\20,dc=x"),
        (r"cn=\#a,dc=x", r"cn=\23a,dc=x"),
        ("cn=a;dc=x", "cn=a,dc=x"),
        (" Devs", "devs"),
    ],
)
def test_two_spellings_of_one_name_are_equal(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)
    assert canonical(canonical(one)) == canonical(one)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (r"cn=admins\,ou=groups,dc=x", "cn=admins,ou=groups,dc=x"),
        (r"cn=a\+uid\=b,dc=x", "cn=a+uid=b,dc=x"),
        (r"cn=a\ ,dc=x", "cn=a ,dc=x"),
        ("cn=admins,ou=other,dc=x", "cn=admins,ou=groups,dc=x"),
        (r"cn=a\\,dc=x", r"cn=a\,dc=x"),
    ],
)
def test_two_names_are_never_taken_for_one(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "name", ["", "=", "\\", "cn=\\", "cn=\\f", ",,,", "cn=\\ff\\fe,dc=x", "+=+"]
)
def test_what_is_no_name_is_read_all_the_same(name: str) -> None:
    assert canonical(canonical(name)) == canonical(name) or "\ufffd" in canonical(name)
    parts(name)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        (f"cn=devs,{BASE}", "devs"),
        (rf"cn=a\,b,{BASE}", "a,b"),
        (f"cn=devs,ou=sub,{BASE}", None),
        (f"ou=devs,{BASE}", None),
        (rf"cn=devs\,{BASE}", None),
        (f"cn=a+uid=b,{BASE}", None),
        ("cn=devs,ou=other,dc=example,dc=com", None),
        (BASE, None),
    ],
)
def test_a_common_name_alone_is_what_is_directly_below(name: str, expected: str | None) -> None:
    assert below(canonical(name), BASE) == expected
