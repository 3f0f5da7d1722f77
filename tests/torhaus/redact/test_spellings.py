from base64 import b64encode
from urllib.parse import quote, quote_plus

import pytest

from torhaus.redact.spellings import (
    frequent_spellings,
    sought,
    spellings,
    spellings_of_key,
)

SECRET = "s3cr3t/with spaces+and?marks"


@pytest.mark.parametrize(
    "written",
    [
        SECRET,
        SECRET.upper(),
        quote(SECRET),
        quote(SECRET, safe=""),
        quote_plus(SECRET),
        quote(SECRET, safe="").lower(),
        quote(quote(SECRET, safe=""), safe=""),
        SECRET.encode().hex(),
        SECRET.encode().hex().upper(),
        "".join(f"%{each:02X}" for each in SECRET.encode()),
        "".join(f"\\x{each:02x}" for each in SECRET.encode()),
    ],
)
def test_usual_spellings_are_known(written: str):
    assert written in spellings(SECRET)


@pytest.mark.parametrize("before", ["", "u", "us", "user:", "alice@example.org:"])
@pytest.mark.parametrize("after", ["", "\n", "more text"])
def test_it_is_known_inside_of_any_base64(before: str, after: str):
    text = b64encode(f"{before}{SECRET}{after}".encode()).decode()

    assert any(each in text for each in spellings(SECRET))


def test_a_quote_in_a_secret_is_known_as_json_writes_it():
    assert 'a\\"b\\\\c12345' in spellings('a"b\\c12345')


@pytest.mark.parametrize(
    "written",
    ["a&amp;b&lt;c&quot;12345&#x27;", "a&amp;b&lt;c&#34;12345&#39;", "a&amp;b&lt;c\"12345'"],
)
def test_a_secret_is_known_as_pages_write_it(written: str):
    assert written in spellings("a&b<c\"12345'")


@pytest.mark.parametrize("secret", ["", "short", "1234567", "production", "x" * 30, "ababab"])
def test_words_and_short_values_are_not_sought(secret: str):
    assert not sought(secret)


@pytest.mark.parametrize(
    "secret", ["alice-secret-key-abc123", "pass-word", "hunter2024", "12345678"]
)
def test_what_is_no_word_is_sought(secret: str):
    assert sought(secret)


def test_a_spelling_that_is_too_short_is_left_out():
    assert all(len(each) >= 8 for each in spellings("12345678"))


def test_a_key_of_octets_is_known_in_base64_and_hexadecimal():
    key = bytes(range(200, 232))

    assert key.hex() in spellings_of_key(key)
    assert any(each in b64encode(b"x" + key).decode() for each in spellings_of_key(key))


def test_frequent_spellings_are_some_of_all():
    some = frequent_spellings(SECRET)

    assert {SECRET, quote(SECRET, safe="")} <= some < spellings(SECRET)
    assert any(each in b64encode(f"user:{SECRET}".encode()).decode() for each in some)
