import pytest

from torhaus.identity.credentials import Unclear, credential, in_query, shown

Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"host", b"gw"), (b"cookie", b"apikey=x")], None),
        ([(b"authorization", b"Bearer abc")], b"abc"),
        ([(b"authorization", b"bearer   abc ")], b"abc"),
        ([(b"authorization", b"Bearer tht_abc")], b"tht_abc"),
        ([(b"apikey", b"abc")], b"abc"),
        ([(b"x-api-key", b" abc\t")], b"abc"),
        ([(b"apikey", b"abc"), (b"authorization", b"Bearer abc")], b"abc"),
    ],
)
def test_a_credential_is_found_where_clients_put_it(
    headers: Headers, expected: bytes | None
) -> None:
    assert credential(headers) == expected


@pytest.mark.parametrize(
    ("headers", "word"),
    [
        ([(b"apikey", b"abc"), (b"x-api-key", b"def")], "two different"),
        ([(b"authorization", b"Bearer abc"), (b"authorization", b"Bearer def")], "two different"),
        ([(b"authorization", b"Basic YWxpY2U6eA==")], "Bearer"),
        ([(b"authorization", b"abc")], "Bearer"),
        ([(b"authorization", b"Bearer ")], "empty"),
        ([(b"authorization", b"")], "empty"),
        ([(b"apikey", b"")], "empty"),
        ([(b"apikey", b"abc"), (b"x-api-key", b"")], "empty"),
        ([(b"apikey", b"tht_abc")], "`Authorization: Bearer TOKEN`"),
        ([(b"x-api-key", b" tht_abc\t")], "`Authorization: Bearer TOKEN`"),
        ([(b"authorization", b"Bearer tht_abc"), (b"apikey", b"tht_abc")], "Bearer TOKEN`"),
    ],
)
def test_an_unclear_credential_is_never_taken_for_none(headers: Headers, word: str) -> None:
    found = credential(headers)

    assert isinstance(found, Unclear)
    assert word in found.reason
    assert "abc" not in found.reason


def test_what_was_shown_is_seen_wherever_it_stands() -> None:
    headers = [
        (b"host", b"gw"),
        (b"authorization", b"Bearer one"),
        (b"apikey", b"tht_two"),
        (b"x-api-key", b""),
    ]

    assert shown(headers) == [b"one", b"tht_two"]


@pytest.mark.parametrize(
    ("target", "found"),
    [
        (b"/mcp", False),
        (b"/mcp?", False),
        (b"/mcp?session=abc", False),
        (b"/mcp?access_token=abc", True),
        (b"/mcp?a=1&Access%5FToken=abc", True),
        (b"/mcp?x=tht_abc", True),
        (b"/mcp?x=tht%5Fabc", True),
        (b"/mcp?apikey=", True),
    ],
)
def test_a_credential_in_an_address_is_seen(target: bytes, found: bool) -> None:
    assert in_query(target) is found
