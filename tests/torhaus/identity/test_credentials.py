import pytest

from torhaus.identity.credentials import Unclear, credential

Headers = list[tuple[bytes, bytes]]


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([], None),
        ([(b"host", b"gw"), (b"cookie", b"apikey=x")], None),
        ([(b"authorization", b"Bearer abc")], b"abc"),
        ([(b"authorization", b"bearer   abc ")], b"abc"),
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
    ],
)
def test_an_unclear_credential_is_never_taken_for_none(headers: Headers, word: str) -> None:
    found = credential(headers)

    assert isinstance(found, Unclear)
    assert word in found.reason
    assert "abc" not in found.reason
