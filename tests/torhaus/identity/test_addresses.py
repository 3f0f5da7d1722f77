"""Which texts are addresses, and when two are the same."""

import pytest

from torhaus.identity.addresses import address


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("Alice@Example.COM", "alice@example.com"),
        ("jo\u0308rg@example.com", "j\u00f6rg@example.com"),
        ("JO\u0308RG@example.com", "j\u00f6rg@example.com"),
        ("a+b@company.local", "a+b@company.local"),
    ],
)
def test_one_person_is_spelled_in_one_way(value: str, expected: str) -> None:
    assert address(value) == expected


@pytest.mark.parametrize(
    "value",
    [
        "",
        "alice",
        "@example.com",
        "alice@",
        "alice@evil.test@example.com",
        "alice@example.com@evil.test",
        "alice@example.com\n",
        " alice@example.com",
        "alice@exam ple.com",
        "alice@example.com\x00",
        "alice@example.com\u200b",
        "alice@example.com\u202e",
        "ali\u212ae@example.com",  # KELVIN SIGN, whose small letter is k
        "alice@exam\u212ale.com",
        "JO\u212aER@example.com",
        "<alice@example.com>",
        '"a@b"@example.com',
        "a" * 65 + "@example.com",
        "a" + "\u0300\u0316" * 100_000,
        ["alice@example.com"],
        None,
        7,
    ],
)
def test_what_could_be_read_in_two_ways_is_no_address(value: object) -> None:
    assert address(value) is None
