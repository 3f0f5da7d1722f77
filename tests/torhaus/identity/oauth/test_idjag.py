"""Forged assertions, one for each way to forge one, and the valid one beside them."""

from typing import Any

import pytest

from tests.torhaus.identity.tokens import ISSUER, NOW, Signer, unsigned
from torhaus.identity.jose import TokenError, UnknownKeyError
from torhaus.identity.oauth.idjag import TYPE, Awaited, Given, asserted, fitting, issuer

US = "https://gw.example.org"
IDP = Signer()
AWAITED = Awaited(
    issuer=ISSUER, audience=US, client_id="agent", algorithms=("ES256", "RS256"), now=NOW
)


def said(**changed: Any) -> dict[str, Any]:
    found = {
        "iss": ISSUER,
        "sub": "u-alice",
        "aud": US,
        "client_id": "agent",
        "resource": f"{US}/mcp/github",
        "scope": "mcp",
        "jti": "once",
        "iat": NOW - 5,
        "exp": NOW + 300,
        **changed,
    }
    return {key: value for key, value in found.items() if value is not None}


def signed(signer: Signer = IDP, typ: str = TYPE, **changed: Any) -> str:
    return signer.sign(said(**changed), typ=typ)


def test_the_valid_assertion_says_who_and_for_what() -> None:
    found = asserted(signed(), IDP.keys(), AWAITED)

    assert (found.issuer, found.subject, found.id) == (ISSUER, "u-alice", "once")
    assert found.resource == f"{US}/mcp/github"
    assert asserted(signed(aud=[US]), IDP.keys(), AWAITED).subject == "u-alice"
    assert issuer(signed()) == ISSUER


@pytest.mark.parametrize(
    "changed",
    [
        {"iss": "https://evil.example"},
        {"aud": "https://other.example"},
        {"aud": [US, "https://other.example"]},
        {"aud": f"{US}/"},
        {"aud": None},
        {"client_id": "other"},
        {"client_id": None},
        {"sub": None},
        {"sub": ""},
        {"sub": 7},
        {"jti": None},
        {"resource": None},
        {"resource": [f"{US}/mcp/github"]},
        {"exp": None},
        {"exp": NOW - 61},
        {"exp": True},
        {"iat": None},
        {"iat": NOW + 61},
        {"exp": NOW + 7200},
        {"nbf": NOW + 61},
        {"nbf": "soon"},
    ],
)
def test_every_word_must_be_right(changed: dict[str, Any]) -> None:
    with pytest.raises(TokenError):
        asserted(signed(**changed), IDP.keys(), AWAITED)


@pytest.mark.parametrize(
    "token",
    [
        "",
        "a.b",
        "a.b.c",
        unsigned(said()),
        signed(typ="JWT"),
        signed(typ="at+jwt"),
        signed(typ="oauth-id-jag"),
        signed(Signer(alg="PS256")),
        signed()[:-4] + "AAAA",
        signed() + "x" * 70_000,
    ],
)
def test_what_is_no_assertion_of_the_provider_proves_nothing(token: str) -> None:
    with pytest.raises(TokenError):
        asserted(token, IDP.keys(), AWAITED)


def test_a_key_that_is_not_known_yet_is_told_apart() -> None:
    with pytest.raises(UnknownKeyError):
        asserted(signed(Signer(kid="k2")), IDP.keys(), AWAITED)
    with pytest.raises(TokenError):
        issuer("no token")


GIVEN = Given(
    issuer=ISSUER,
    audience="https://as.example",
    resource="https://r.example",
    client_id="c",
    now=NOW,
)


def given(typ: str = TYPE, **changes: Any) -> str:
    said = {
        "iss": ISSUER,
        "aud": "https://as.example",
        "resource": "https://r.example",
        "client_id": "c",
        "iat": NOW,
        "exp": NOW + 300,
        **changes,
    }
    return IDP.sign(said, typ=typ)


def test_one_that_we_were_given_is_for_whom_it_was_asked_for() -> None:
    fitting(given(), GIVEN)
    fitting(given(aud=["https://as.example"]), GIVEN)
    fitting("a.b.c.d.e", GIVEN)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"typ": "jwt"}, "another kind"),
        ({"iss": "https://evil.example"}, "another issuer"),
        ({"aud": "https://evil.example"}, "another authorization server"),
        ({"client_id": "d"}, "another client"),
        ({"resource": "https://evil.example"}, "another server"),
        ({"exp": NOW - 61}, "has expired"),
        ({"iat": NOW + 61, "exp": NOW + 99}, "from the future"),
    ],
)
def test_one_for_somebody_else_goes_nowhere(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(TokenError, match=why):
        fitting(given(**changes), GIVEN)
