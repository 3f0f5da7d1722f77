"""Forged ID tokens, one for each way to forge one, and the valid one beside them."""

from base64 import urlsafe_b64encode
from hashlib import sha256, sha512
from typing import Any

import pytest

from tests.torhaus.identity.tokens import (
    CLIENT,
    ISSUER,
    NONCE,
    NOW,
    Signer,
    claims,
    hmac_with_public_key,
    unsigned,
)
from torhaus.identity.jose import TokenError
from torhaus.identity.oidc import (
    LOGOUT,
    Expected,
    email,
    groups,
    id_token,
    logout_token,
    name,
)

IDP = Signer()
EXPECTED = Expected(
    issuer=ISSUER,
    client_id=CLIENT,
    algorithms=("RS256", "ES256", "PS256", "Ed25519", "EdDSA"),
    keys=IDP.keys(),
    now=NOW,
)
ACCESS = "an-access-token"


def refused(token: str, why: str, access_token: str | None = ACCESS) -> None:
    with pytest.raises(TokenError, match=why):
        id_token(token, EXPECTED, NONCE, access_token)


def signed(**changed: Any) -> str:
    return IDP.sign(claims(**changed))


def at_hash(access_token: str, hashing: Any = sha256) -> str:
    whole = hashing(access_token.encode()).digest()
    return urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()


def test_the_valid_token_says_who_it_is() -> None:
    assert id_token(signed(), EXPECTED, NONCE)["sub"] == "u-alice"


def test_forged_01_without_a_signature() -> None:
    refused(unsigned(claims()), "algorithm")


def test_forged_02_with_the_public_key_as_secret() -> None:
    refused(hmac_with_public_key(claims(), IDP), "algorithm")


def test_forged_03_with_a_key_of_somebody_else() -> None:
    refused(Signer().sign(claims()), "signature")


def test_forged_04_with_a_key_that_the_provider_has_withdrawn() -> None:
    refused(Signer(kid="old").sign(claims()), "not in the provider's set")


def test_forged_05_for_another_audience() -> None:
    refused(signed(aud="another-client"), "not for this gateway")


def test_forged_06_for_several_of_whom_another_asked() -> None:
    refused(signed(aud=[CLIENT, "evil"], azp="evil"), "another client")
    refused(signed(azp="evil"), "another client")


def test_forged_07_for_several_without_saying_who_asked() -> None:
    refused(signed(aud=[CLIENT, "evil"]), "several")


def test_forged_08_by_another_issuer() -> None:
    refused(signed(iss="https://idp.example/realm2"), "another issuer")
    refused(signed(iss=ISSUER + "/"), "another issuer")


def test_forged_09_of_another_sign_in() -> None:
    refused(signed(nonce="another"), "another sign-in")
    refused(signed(nonce=None), "another sign-in")
    refused(signed(nonce=[NONCE]), "another sign-in")


def test_forged_10_that_has_expired() -> None:
    refused(signed(exp=NOW - 60), "expired")
    refused(signed(exp=None), "never expires")


def test_forged_11_from_the_future() -> None:
    refused(signed(iat=NOW + 61), "future")
    refused(signed(nbf=NOW + 61), "not valid yet")


def test_forged_12_of_another_access_token() -> None:
    refused(signed(at_hash=at_hash("another")), "another access token")
    refused(signed(at_hash=at_hash(ACCESS)), "another access token", access_token=None)


def test_forged_13_of_another_kind() -> None:
    refused(IDP.sign(claims(), typ="at+jwt"), "another kind")
    refused(IDP.sign(claims(), typ="logout+jwt"), "another kind")
    refused(IDP.sign(claims(), typ="oauth-id-jag+jwt"), "another kind")


def test_forged_14_that_names_nobody() -> None:
    refused(signed(sub=None), "names nobody")
    refused(signed(sub=""), "names nobody")
    refused(signed(sub=["u-alice"]), "names nobody")
    refused(signed(sub="a" * 256), "names nobody")


@pytest.mark.parametrize("changed", [{"exp": "soon"}, {"iat": True}, {"iat": None}, {"nbf": [1]}])
def test_times_that_are_none_are_refused(changed: dict) -> None:
    refused(signed(**changed), "no numbers|when it was made")


def test_a_minute_of_difference_between_clocks_is_forgiven() -> None:
    for changed in ({"exp": NOW - 59}, {"iat": NOW + 60}, {"nbf": NOW + 60}):
        assert id_token(signed(**changed), EXPECTED, NONCE)


def test_several_audiences_are_fine_where_we_asked() -> None:
    assert id_token(signed(aud=["other", CLIENT], azp=CLIENT), EXPECTED, NONCE)


def test_the_access_token_is_compared_with_the_hash_of_the_algorithm() -> None:
    assert id_token(signed(at_hash=at_hash(ACCESS)), EXPECTED, NONCE, ACCESS)
    edwards = Signer("EdDSA")
    expected = Expected(
        issuer=ISSUER, client_id=CLIENT, algorithms=("EdDSA",), keys=edwards.keys(), now=NOW
    )
    token = edwards.sign(claims(at_hash=at_hash(ACCESS, sha512)))
    assert id_token(token, expected, NONCE, ACCESS)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ({"email": "Alice@Example.com", "email_verified": True}, "alice@example.com"),
        ({"email": "alice@example.com", "email_verified": "true"}, "alice@example.com"),
        ({"email": "alice@example.com"}, None),
        ({"email": "alice@example.com", "email_verified": False}, None),
        ({"email": "alice@example.com", "email_verified": "false"}, None),
        ({"email": "alice@example.com", "email_verified": 1}, None),
        ({"email": "alice@evil.test@example.com", "email_verified": True}, None),
        ({"email": ["alice@example.com"], "email_verified": True}, None),
        ({"email_verified": True}, None),
    ],
)
def test_only_one_verified_address_counts(said: dict, expected: str | None) -> None:
    assert email(said, "email", assume_verified=False) == expected


def test_an_address_may_be_assumed_verified_but_not_against_the_providers_word() -> None:
    said = {"upn": "alice@example.com"}

    assert email(said, "upn", assume_verified=True) == "alice@example.com"
    assert email({**said, "email_verified": False}, "upn", assume_verified=True) is None


@pytest.mark.parametrize(
    ("more", "address", "counts"),
    [
        ({}, "alice@gmail.com", True),
        ({}, "alice@example.com", False),
        ({"hd": "example.com"}, "alice@example.com", True),
        ({"hd": ""}, "alice@example.com", False),
        ({}, "alice@evil-gmail.com", False),
    ],
)
def test_google_speaks_for_its_own_addresses_and_those_it_hosts(
    more: dict, address: str, counts: bool
) -> None:
    said = {"email": address, "email_verified": True, **more}

    found = email(said, "email", assume_verified=False, issuer="https://accounts.google.com")

    assert (found == address) is counts


@pytest.mark.parametrize(
    ("said", "claim", "expected"),
    [
        ({"groups": ["a", "b", "a"]}, "groups", ("a", "b")),
        ({"groups": "a"}, "groups", ("a",)),
        ({"groups": []}, "groups", ()),
        ({"groups": ["a", 7, None, ["b"]]}, "groups", ("a",)),
        ({"groups": {"a": 1}}, "groups", None),
        ({}, "groups", None),
        ({"realm_access": {"roles": ["a"]}}, "realm_access.roles", ("a",)),
        ({"https://x.example/groups": ["a"]}, "https://x.example/groups", ("a",)),
        ({"realm_access": "x"}, "realm_access.roles", None),
        ({"groups": ["x" * 2000, "a"]}, "groups", ("a",)),
    ],
)
def test_groups_are_a_list_of_names(said: dict, claim: str, expected: object) -> None:
    assert groups(said, claim) == expected


def test_there_is_an_end_to_groups() -> None:
    assert len(groups({"groups": [str(each) for each in range(5000)]}, "groups") or ()) == 1000


def test_a_name_is_printable_and_short() -> None:
    assert name({"name": " Alice\u202e\n "}) == "Alice"
    assert name({"preferred_username": "alice"}) == "alice"
    assert len(name({"name": "a" * 500})) == 200
    assert name({"name": 7}) == ""


# Tokens of back-channel logout


def logout(typ: str | None = "logout+jwt", **changed: Any) -> str:
    said = {
        "iss": ISSUER,
        "aud": CLIENT,
        "iat": NOW - 1,
        "exp": NOW + 60,
        "jti": "j1",
        "sub": "u-alice",
        "sid": "s1",
        "events": {LOGOUT: {}},
        **changed,
    }
    return IDP.sign({key: value for key, value in said.items() if value is not None}, typ=typ)


def test_a_logout_token_says_who_is_signed_out_and_for_how_long_it_is_remembered() -> None:
    found = logout_token(logout(), EXPECTED)

    assert (found.issuer, found.subject, found.session, found.id) == (ISSUER, "u-alice", "s1", "j1")
    assert found.expires > NOW + 600


@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", None])
def test_its_type_may_be_an_old_one(typ: str | None) -> None:
    assert logout_token(logout(typ, sid=None), EXPECTED).session is None


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"events": None}, "no logout"),
        ({"events": {}}, "no logout"),
        ({"events": {LOGOUT: True}}, "no logout"),
        ({"events": [LOGOUT]}, "no logout"),
        ({"nonce": "n"}, "ID token"),
        ({"sub": None, "sid": None}, "nobody"),
        ({"sub": ""}, "nobody"),
        ({"sid": 7}, "nobody"),
        ({"jti": None}, "no id"),
        ({"aud": "other"}, "not for this gateway"),
        ({"iss": "https://other.example"}, "another issuer"),
        ({"iat": NOW - 601}, "too old"),
        ({"iat": NOW + 61}, "future"),
        ({"iat": None}, "when it was made"),
        ({"exp": NOW - 61}, "expired"),
        ({"typ": "at+jwt"}, "another kind"),
    ],
)
def test_a_forged_logout_token_signs_nobody_out(changed: dict, why: str) -> None:
    with pytest.raises(TokenError, match=why):
        logout_token(logout(**changed), EXPECTED)


def test_an_id_token_is_no_logout_token() -> None:
    with pytest.raises(TokenError, match="no logout"):
        logout_token(signed(jti="j"), EXPECTED)
