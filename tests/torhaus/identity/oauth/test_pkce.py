import pytest

from torhaus.identity.oauth.pkce import challenge, proves, usable

# RFC 7636, appendix B.
VERIFIER = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
CHALLENGE = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_example_of_the_standard_holds() -> None:
    assert challenge(VERIFIER) == CHALLENGE
    assert usable(CHALLENGE)
    assert proves(VERIFIER, CHALLENGE)


@pytest.mark.parametrize(
    "verifier",
    [
        "",
        VERIFIER[:-1],
        VERIFIER[:-1] + "l",
        VERIFIER + "=",
        VERIFIER + " ",
        CHALLENGE,
        "ü" * 43,
        "a" * 129,
    ],
)
def test_another_verifier_proves_nothing(verifier: str) -> None:
    assert not proves(verifier, CHALLENGE)


def test_a_verifier_of_the_wrong_length_proves_nothing_even_if_it_hashes_right() -> None:
    for verifier in ("a" * 42, "a" * 129):
        assert not proves(verifier, challenge(verifier))
    for verifier in ("a" * 43, "a" * 128):
        assert proves(verifier, challenge(verifier))


@pytest.mark.parametrize("told", ["", CHALLENGE[:-1], CHALLENGE + "=", "+" * 43, VERIFIER + "x"])
def test_what_is_no_digest_is_no_challenge(told: str) -> None:
    assert not usable(told)
