from tests.torhaus.cast import Clock, sealer
from torhaus.web.tokens import LASTS, FormTokens


def test_a_token_is_good_for_its_browser_and_its_time() -> None:
    clock = Clock()
    tokens = FormTokens(sealer=sealer(), clock=clock)
    token = tokens.issue(b"a")

    assert tokens.valid(token, b"a")
    assert not tokens.valid(token, b"b")
    assert not tokens.valid("", b"a")
    assert not tokens.valid(token[:-4] + "AAAA", b"a")
    assert not tokens.valid("\u20ac", b"a")
    clock.turn(LASTS)
    assert not tokens.valid(token, b"a")
