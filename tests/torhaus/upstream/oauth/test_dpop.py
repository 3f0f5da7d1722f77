"""Keys and proofs of possession, read with another library."""

import pytest

from tests.torhaus.upstream.proofs import NOW, hashed, opened, prover, thumbprint
from torhaus.model.ports import UpstreamError
from torhaus.upstream.oauth.dpop import ALGORITHMS, Key, Nonces, Prover, chosen, usable

URL = "https://mcp.example/mcp"


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_proof_is_for_one_request_alone(algorithm: str) -> None:
    key = Key.fresh(algorithm)

    header, claims = opened(
        key.proof("POST", f"{URL}?a=b", 1000.7, "id-1", nonce="n-1", token_hash=hashed("t"))
    )

    assert (header["typ"], header["alg"]) == ("dpop+jwt", algorithm)
    assert set(header) == {"typ", "alg", "jwk"}
    assert claims == {
        "jti": "id-1", "htm": "POST", "htu": URL, "iat": 1000, "nonce": "n-1", "ath": hashed("t"),
    }  # fmt: skip
    assert thumbprint(header) == key.thumbprint


def test_what_is_not_known_does_not_stand_there() -> None:
    _, claims = opened(Key.fresh().proof("GET", URL, 1000.0, "id-1"))

    assert set(claims) == {"jti", "htm", "htu", "iat"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_key_is_read_as_it_was_written(algorithm: str) -> None:
    key = Key.fresh(algorithm)
    again = Key.read(key.text)

    assert (again.text, again.thumbprint, again.algorithm) == (key.text, key.thumbprint, algorithm)
    assert key.text.partition(".")[2] not in repr(key)
    assert Key.fresh(algorithm).thumbprint != key.thumbprint


@pytest.mark.parametrize(
    "text", ["", "ES256", "RS256.abc", "ES256.!", "EdDSA.abc", "ES256.AA", "ES256.no"]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 -- of several libraries
        Key.read(text)


def test_a_prover_uses_the_newest_nonce_and_hands_it_on() -> None:
    mine = prover("first")

    assert not mine.wanted(200, {b"dpop-nonce": b"n-1"})
    assert opened(mine.line("POST", URL)[6:-2].decode())[1]["nonce"] == "n-1"
    assert not mine.wanted(200, {})
    assert not mine.wanted(200, {b"dpop-nonce": b'no "nonce"'})
    assert mine.nonce == "n-1"
    after = Prover(Key.fresh(), "second", lambda: NOW, lambda: "id", mine)
    _, claims = opened(after.line("POST", URL)[6:-2].decode())
    assert (claims["nonce"], claims["ath"]) == ("n-1", hashed("second"))


ASKS = b'DPoP error="use_dpop_nonce"'


@pytest.mark.parametrize(
    ("status", "headers", "wanted"),
    [
        (401, {b"www-authenticate": ASKS, b"dpop-nonce": b"n-1"}, True),
        (401, {b"www-authenticate": b"Bearer, " + ASKS, b"dpop-nonce": b"n-1"}, True),
        (401, {b"www-authenticate": ASKS}, False),
        (401, {b"www-authenticate": ASKS, b"dpop-nonce": b""}, False),
        (401, {b"www-authenticate": ASKS, b"dpop-nonce": b"n" * 2000}, False),
        (401, {b"www-authenticate": b"DPoP", b"dpop-nonce": b"n-1"}, False),
        (403, {b"www-authenticate": ASKS, b"dpop-nonce": b"n-1"}, False),
        (200, {b"dpop-nonce": b"n-1"}, False),
    ],
)
def test_a_request_goes_again_only_for_a_nonce_that_is_given(
    status: int, headers: dict[bytes, bytes], wanted: bool
) -> None:
    assert prover().wanted(status, headers) is wanted


def test_a_nonce_that_another_request_has_brought_is_one_to_try_with() -> None:
    """Both went without one, and both were told the same."""
    mine = prover()
    said = {b"www-authenticate": ASKS, b"dpop-nonce": b"n-1"}

    assert mine.wanted(401, said)
    assert mine.wanted(401, said)


def test_each_token_endpoint_has_its_own_nonce() -> None:
    known = Nonces()

    assert known.heard("https://a.example/token", "n-a")
    assert not known.heard("https://b.example/token", None)
    assert not known.heard("https://b.example/token", "no\n")
    assert (known.of("https://a.example/token"), known.of("https://b.example/token")) == ("n-a", "")
    for number in range(300):
        known.heard(f"https://{number}.example/token", "n")
    assert known.of("https://a.example/token") == ""


@pytest.mark.parametrize(
    ("offered", "found"),
    [
        ((), "ES256"),
        (("RS256", "ES256"), "ES256"),
        (("EdDSA", "PS256"), "EdDSA"),
        (("Ed25519",), "Ed25519"),
    ],
)
def test_what_signs_is_what_they_take(offered: tuple[str, ...], found: str) -> None:
    assert chosen(offered, "https://as.example") == found


def test_nothing_that_they_take_is_said() -> None:
    with pytest.raises(UpstreamError, match=r"as\.example takes none of the proofs"):
        chosen(("RS256", "none"), "https://as.example")
    assert usable("none of these") == ""
