import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.mcp.headers import decode, encode

TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(TEXT | st.sampled_from(["=?base64?", "=?base64?=", "=?base64?aGk=?=", "?=", " a", "a\t"]))
def test_every_text_survives_the_way_through_a_header(text: str):
    value = encode(text)

    assert decode(value.encode("ascii")) == text
    assert value.isprintable()
    assert value == value.strip()


@pytest.mark.parametrize("text", ["list_issues", "file:///a b?c=d", "a,b;c", "?="])
def test_a_safe_text_travels_as_it_is(text: str):
    assert encode(text) == text


@pytest.mark.parametrize("text", ["", " padded", "grüße", "a\nb", "=?base64?x?="])
def test_any_other_text_travels_in_the_sentinel(text: str):
    assert encode(text).startswith("=?base64?")


@pytest.mark.parametrize(
    "value",
    [
        b"gr\xc3\xbc\xc3\x9fe",
        b"=?base64?aGk?=",
        b"=?base64?aGl=?=",
        b"=?base64?aG k=?=",
        b"=?base64?_w==?=",
        b"=?base64?/w==?=",
        b"=?base64?!!!!?=",
        b"a\nb",
        b"a\0b",
    ],
)
def test_what_could_be_read_in_two_ways_is_refused(value: bytes):
    with pytest.raises(ValueError, match="base64"):
        decode(value)


def test_a_sentinel_whose_ends_overlap_is_plain_text():
    assert decode(b"=?base64?=") == "=?base64?="
