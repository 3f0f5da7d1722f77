"""Bearer tokens, and tokens with proofs."""

import pytest

from tests.torhaus.upstream.proofs import opened
from torhaus.model.ports import UpstreamError
from torhaus.model.vault import Content
from torhaus.upstream.oauth.dpop import Key, Prover
from torhaus.upstream.oauth.showing import bound_to, proving, shown, unproved
from torhaus.upstream.oauth.wellknown import Challenge

PLAIN = Content(value="access-token-1", refresh="refresh-token-1")


def bound(token: str = "access-token-1") -> Content:
    return Content(value=token, proof_key=Key.fresh().text)


def made(content: Content, **more: object) -> Prover | None:
    return proving(content, lambda: 1000.0, lambda: "id-1", **more)


def test_a_token_that_is_bound_is_shown_as_such_and_its_key_is_a_secret() -> None:
    content = bound()
    found = shown(content, "vlt-1", made(content))

    assert found.headers[0][1].reveal() == "DPoP access-token-1"
    assert content.proof_key.partition(".")[2] in {each.reveal() for each in found.secrets}
    assert found.prover is not None
    assert opened(found.prover.line("GET", "https://a.example/")[6:-2].decode())
    assert content.proof_key.partition(".")[2] not in repr(found)


def test_another_is_shown_to_whoever_asks() -> None:
    found = shown(PLAIN, "vlt-1", made(PLAIN))

    assert (found.headers[0][1].reveal(), found.prover) == ("Bearer access-token-1", None)


def test_the_next_token_goes_on_with_the_nonce() -> None:
    first = bound("first")
    before = shown(first, prover=made(first))
    assert before.prover is not None
    before.prover.wanted(200, {b"dpop-nonce": b"n-1"})

    after = made(bound("second"), former=before)

    assert after is not None
    assert after.nonce == "n-1"


def test_a_key_that_cannot_be_read_is_said() -> None:
    with pytest.raises(UpstreamError, match="connect it anew"):
        bound_to(Content(value="x", proof_key="ES256.no"))


@pytest.mark.parametrize(
    ("error", "words"),
    [("invalid_dpop_proof", "compare the clocks"), ("use_dpop_nonce", "one nonce after another")],
)
def test_what_another_token_would_not_mend_is_said(error: str, words: str) -> None:
    content = bound()

    found = unproved(shown(content, prover=made(content)), Challenge(error=error))

    assert words in str(found)
    assert unproved(shown(PLAIN), Challenge(error=error)) is None
    assert unproved(shown(content, prover=made(content)), Challenge(error="invalid_token")) is None
