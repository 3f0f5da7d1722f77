import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.cast import NOW, SECRET, randoms, sealer
from torhaus.mcp.seal import Sealer, SealError, binding

ALICE = binding("session", "github", "u-alice")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+/"


@given(st.binary(max_size=200))
def test_what_was_sealed_opens_for_its_owner_until_it_expires(content: bytes):
    token = sealer().seal(content, ALICE, NOW + 60)

    assert sealer().unseal(token, ALICE, NOW + 59) == content
    assert all(0x21 <= ord(char) <= 0x7E for char in token)


@pytest.mark.parametrize(
    "bound",
    [
        binding("session", "github", "u-bob"),
        binding("session", "sentry", "u-alice"),
        binding("event", "github", "u-alice"),
        binding("session", "githubu", "-alice"),
        b"",
    ],
)
def test_it_opens_for_nobody_else_and_nowhere_else(bound: bytes):
    token = sealer().seal(b"inner", ALICE, NOW + 60)

    with pytest.raises(SealError):
        sealer().unseal(token, bound, NOW)


@pytest.mark.parametrize("later", [60, 61, 10**9])
def test_it_does_not_open_once_it_has_expired(later: int):
    token = sealer().seal(b"inner", ALICE, NOW + 60)

    with pytest.raises(SealError, match="expired"):
        sealer().unseal(token, ALICE, NOW + later)


@given(st.binary(max_size=9), st.data())
def test_no_character_of_it_can_be_changed(content: bytes, data: st.DataObject):
    token = sealer().seal(content, ALICE, NOW + 60)
    place = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from(ALPHABET).filter(lambda char: char != token[place]))

    with pytest.raises(SealError):
        sealer().unseal(token[:place] + other + token[place + 1 :], ALICE, NOW)


@given(st.binary(max_size=9), st.data())
def test_no_part_of_it_opens_and_nothing_can_be_added(content: bytes, data: st.DataObject):
    token = sealer().seal(content, ALICE, NOW + 60)
    length = data.draw(st.integers(0, len(token) - 1))
    extra = data.draw(st.text(ALPHABET + " \n", min_size=1, max_size=4))

    for other in (token[:length], token[length + 1 :], token + extra, extra + token):
        with pytest.raises(SealError):
            sealer().unseal(other, ALICE, NOW)


@given(st.text())
def test_no_other_text_opens(text: str):
    with pytest.raises(SealError):
        sealer().unseal(text, ALICE, NOW)


def test_another_secret_does_not_open_it():
    token = Sealer(b"another secret of at least 32 bytes", randoms()).seal(b"x", ALICE, NOW + 60)

    with pytest.raises(SealError):
        sealer().unseal(token, ALICE, NOW)


def test_two_seals_of_the_same_are_different():
    one = sealer()

    assert one.seal(b"x", ALICE, NOW) != one.seal(b"x", ALICE, NOW)


def test_a_short_secret_is_refused():
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(SECRET[:31], randoms())


@given(st.lists(st.text()), st.lists(st.text()))
def test_different_parts_never_bind_to_the_same(one: list[str], other: list[str]):
    assert (binding(*one) == binding(*other)) == (one == other)
