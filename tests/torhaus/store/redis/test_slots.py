import pytest
from hypothesis import given
from hypothesis import strategies as st
from valkey.crc import key_slot

from torhaus.store.redis.slots import slot


@pytest.mark.parametrize(
    ("key", "number"),
    [(b"123456789", 12739), (b"", 0), (b"{}", slot(b"{}")), (b"foo{}{bar}", slot(b"foo{}{bar}"))],
)
def test_slots_are_those_of_the_specification(key: bytes, number: int) -> None:
    assert slot(key) == number


@given(st.binary(max_size=12), st.binary(min_size=1, max_size=6), st.binary(max_size=12))
def test_slots_are_those_that_others_compute(before: bytes, tag: bytes, after: bytes) -> None:
    for key in (before + after, before + b"{" + tag + b"}" + after, before + b"{}" + after):
        assert slot(key) == key_slot(key)


def test_keys_with_one_tag_are_in_one_slot() -> None:
    assert slot(b"{torhaus:github}:g") == slot(b"{torhaus:github}:e:x") == slot(b"torhaus:github")
