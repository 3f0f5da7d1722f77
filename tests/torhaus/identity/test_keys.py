from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.identity.keys import (
    ACCESS,
    KEY,
    PREFIXES,
    REFRESH,
    SESSION,
    digest,
    mint,
    well_formed,
)

RANDOM = st.binary(min_size=32, max_size=32)


@given(RANDOM)
def test_a_minted_key_is_well_formed(random: bytes) -> None:
    key = mint(random)

    assert well_formed(key)
    assert len(key) == 53


@pytest.mark.parametrize("prefix", PREFIXES)
def test_each_kind_has_a_prefix_of_its_own(prefix: str) -> None:
    token = mint(b"x" * 32, prefix)

    assert token.startswith(prefix)
    assert well_formed(token)
    assert well_formed(token, prefix)
    assert not well_formed(token, *(set(PREFIXES) - {prefix}))
    assert (KEY, ACCESS, REFRESH, SESSION) == ("thk_", "tht_", "thr_", "ths_")


@given(RANDOM, RANDOM)
def test_different_randomness_makes_different_keys(one: bytes, other: bytes) -> None:
    assert (mint(one) == mint(other)) == (one == other)


@given(RANDOM, st.integers(4, 52))
def test_one_wrong_character_is_noticed(random: bytes, at: int) -> None:
    key = mint(random)
    wrong = "a" if key[at] != "a" else "b"

    assert not well_formed(key[:at] + wrong + key[at + 1 :])


@pytest.mark.parametrize("key", ["", "thk_", "alice-secret-key-abc123", "thk_" + "é" * 49])
def test_other_texts_are_not_well_formed(key: str) -> None:
    assert not well_formed(key)


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_key_takes_32_bytes(length: int) -> None:
    with pytest.raises(ValueError, match="32 random bytes"):
        mint(b"x" * length)


def test_the_digest_is_sha_256() -> None:
    assert digest("alice-secret-key-abc123") == sha256(b"alice-secret-key-abc123").digest()
