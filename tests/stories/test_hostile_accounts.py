"""Whom an identity provider vouches for, when he says of himself what he likes."""

from typing import Any

import pytest

from tests.clients.browsing import Browser, Page
from tests.stories.somebody import FILE, Place, named
from tests.stories.ways import place as opened

VICTIM = named(FILE, 0)
HOSTILE = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Any:
    with opened(tmp_path_factory.mktemp("hostile") / "town", 2) as found:
        yield found


def arrives(at: Place, **said: Any) -> tuple[Page, Page]:
    """Where he ends up, and what his own page then shows."""
    at.idp._person = {"sub": "mallory", "email": "mallory@evil.example", **said}
    # From somewhere else each time: whoever fails so often has to wait.
    at.idp.number += 1
    browser = Browser(source=f"127.0.1.{at.idp.number % 250 + 1}")
    page = browser.open(f"http://127.0.0.1:{at.town.port}/login/oidc")
    return page, browser.open(f"http://127.0.0.1:{at.town.port}/me")


@pytest.mark.parametrize(
    "said",
    [
        {"email": VICTIM, "email_verified": False},
        {"email": VICTIM, "email_verified": "yes"},
        {"email": VICTIM, "email_verified": None},
        {"email": [VICTIM]},
        {"email": f"{VICTIM}."},
        {"email": f" {VICTIM} "},
        {"email": f"{VICTIM}\0"},
        {"email": VICTIM.replace("@", "+x@")},
        {"email": VICTIM.replace("i", "\u0456")},
        {"email": VICTIM.replace("@", "\uff20")},
        {"email": VICTIM.replace("e", "e\u200b")},
        {"email": f"{VICTIM},mallory@evil.example"},
        {"email": f"mallory@evil.example <{VICTIM}>"},
        {"preferred_username": VICTIM, "upn": VICTIM, "name": VICTIM},
        {"groups": ["maker", "admin", "Makers", "makers ", "makers,x", "x,makers", "MAKERS"]},
        {"groups": "makers,admin"},
        {"groups": {"makers": True}},
        {"groups": [["makers"], {"makers": 1}, 7, None]},
        {"groups": ["g" * 1000] * 2000},
        {"roles": ["admin"], "role": "admin", "realm_access": {"roles": ["admin"]}},
        {"sub": ""},
        {"sub": "s" * 300},
        {"sub": None},
        {"sub": ["mallory"]},
    ],
    ids=lambda each: ascii(each)[:40],
)
def test_nothing_that_he_says_of_himself_lets_him_in(place: Place, said: dict[str, Any]) -> None:
    page, mine = arrives(place, **said)

    assert page.status in (400, 401, 403, 502), page.words
    assert "Programs you let in" not in mine.text


def test_whoever_is_in_is_who_he_was_whatever_address_he_has_by_now(place: Place) -> None:
    email = "maker-of-idp@example.com"
    told = {"sub": "m1", "email": email, "groups": ["makers"], "name": HOSTILE}
    _, mine = arrives(place, **told)
    assert email in mine.text
    assert HOSTILE not in mine.text

    for changed in (VICTIM, email.upper(), None, "\0"):
        _, mine = arrives(place, **{**told, "email": changed})
        assert email in mine.text
        assert VICTIM not in mine.text
    page, mine = arrives(place, **{**told, "sub": "m2"})
    assert page.status in (400, 401, 403)
    assert email not in mine.text
