"""Whose key a token was signed with, and what is no signed token."""

import json

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from tests.torhaus.identity.tokens import Signer, b64, claims, hmac_with_public_key, unsigned
from torhaus.identity.jose import TokenError, UnknownKeyError, claimed, opened, verification_keys

ALL = ("RS256", "ES256", "PS256", "Ed25519", "EdDSA")
ALICE = Signer()


@pytest.mark.parametrize("alg", ALL)
def test_each_algorithm_that_is_agreed_on_is_understood(alg: str) -> None:
    signer = Signer(alg)

    found = opened(signer.sign(claims()), signer.keys(), ALL)

    assert found.claims == claims()


@pytest.mark.parametrize("alg", ALL)
def test_a_changed_word_breaks_every_signature(alg: str) -> None:
    signer = Signer(alg)
    head, _, signature = signer.sign(claims()).split(".")
    changed = b64(json.dumps(claims(sub="u-root")).encode())

    with pytest.raises(TokenError, match="signature is wrong"):
        opened(f"{head}.{changed}.{signature}", signer.keys(), ALL)


@pytest.mark.parametrize("algorithms", [("ES256",), ("RS256", "ES256")])
def test_only_agreed_algorithms_count(algorithms: tuple[str, ...]) -> None:
    signer = Signer("PS256")

    with pytest.raises(TokenError, match="algorithm"):
        opened(signer.sign(claims()), signer.keys(), algorithms)


@pytest.mark.parametrize("alg", ["none", "None", "NONE", "nOnE", "HS256", ""])
def test_a_token_without_a_signature_is_none(alg: str) -> None:
    with pytest.raises(TokenError):
        opened(unsigned(claims(), alg), ALICE.keys(), ALL)
    with pytest.raises(TokenError):
        opened(unsigned(claims(), alg) + "AAAA", ALICE.keys(), ALL)


def test_a_public_key_is_no_shared_secret() -> None:
    with pytest.raises(TokenError, match="algorithm"):
        opened(hmac_with_public_key(claims(), ALICE), ALICE.keys(), ALL)


def test_a_key_of_one_kind_verifies_no_other_algorithm() -> None:
    ours = Signer("RS256")
    for_pss = Signer("PS256", key=ours.key)

    with pytest.raises(UnknownKeyError):
        opened(for_pss.sign(claims()), ours.keys(), ALL)
    with pytest.raises(UnknownKeyError):
        opened(ALICE.sign(claims()), ours.keys(), ALL)


def test_another_key_of_the_same_name_is_another_key() -> None:
    with pytest.raises(TokenError, match="signature is wrong"):
        opened(Signer().sign(claims()), ALICE.keys(), ALL)


def test_a_key_that_is_not_in_the_set_may_be_in_a_newer_one() -> None:
    with pytest.raises(UnknownKeyError):
        opened(Signer(kid="k2").sign(claims()), ALICE.keys(), ALL)


def test_a_token_without_a_key_id_is_tried_with_all_that_fit() -> None:
    other = Signer("RS256", "k2")
    keys = verification_keys({"keys": [other.public(), Signer(kid="k3").public(), ALICE.public()]})

    assert opened(ALICE.sign(claims(), kid=None), keys, ALL).alg == "ES256"


@pytest.mark.parametrize("header", [{"jwk": Signer().public()}, {"jku": "https://evil.test/k"}])
def test_a_key_that_a_token_brings_itself_does_not_count(header: dict) -> None:
    with pytest.raises(TokenError, match="signature is wrong"):
        opened(Signer().sign(claims(), **header), ALICE.keys(), ALL)


def test_what_must_be_understood_and_is_not_refuses_the_token() -> None:
    with pytest.raises(TokenError, match="must be understood"):
        opened(ALICE.sign(claims(), crit=["b64"], b64=False), ALICE.keys(), ALL)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        "a.b.c.d.e",
        "e30.e30.",
        "e30.e30.AA=",
        "W10.e30.AA",
        "eyJhbGciOiJFUzI1NiJ9.W10.AA",
        "eyJhbGciOiJFUzI1NiJ9. e30.AA",
        "\x00.\x00.\x00",
        "ü.ü.ü",
        b64(b"[" * 30000) + ".e30.AA",
        b64(b"\xff\xfe") + ".e30.AA",
        "A" * 70000,
    ],
)
def test_garbage_is_no_signed_token(token: str) -> None:
    with pytest.raises(TokenError):
        opened(token, ALICE.keys(), ALL)


def test_of_a_set_only_public_keys_for_signing_count() -> None:
    weak = rsa.generate_private_key(65537, 1024)
    private = {**ALICE.public(), "d": b64(b"1" * 32)}
    listed = [
        ALICE.public(),
        Signer("RS256", "weak", weak).public(),
        private,
        {**ALICE.public(), "use": "enc"},
        {**ALICE.public(), "crv": "P-999"},
        {**ALICE.public(), "x": "AA"},
        {**ALICE.public(), "kid": 7},
        {"kty": "oct", "k": "AAAA", "kid": "k1"},
        {"kty": "AKP", "kid": "pq"},
        "a key",
        None,
    ]

    assert [each.kid for each in verification_keys({"keys": listed})] == ["k1"]


def test_a_curve_that_is_not_the_algorithms_own_verifies_nothing() -> None:
    other = ec.generate_private_key(ec.SECP384R1())
    numbers = other.public_key().public_numbers()
    x, y = (b64(each.to_bytes(48)) for each in (numbers.x, numbers.y))
    keys = verification_keys({"keys": [{"kty": "EC", "crv": "P-384", "x": x, "y": y, "kid": "k1"}]})

    with pytest.raises(TokenError):
        opened(ALICE.sign(claims()), keys, ALL)


@pytest.mark.parametrize("document", [None, [], {}, {"keys": {}}, {"keys": "x"}, "x", 7])
def test_what_is_no_set_holds_no_keys(document: object) -> None:
    assert verification_keys(document) == ()


def test_what_a_token_says_can_be_read_before_it_is_proved() -> None:
    token = Signer().sign(claims())

    assert claimed(token)["sub"] == "u-alice"
    for other in ("", "a.b", "a.%.c", token + "x" * 70_000):
        with pytest.raises(TokenError):
            claimed(other)
