import pytest

from torhaus.mcp.clients import CLIENT_KEY, kept_name, sent_name


@pytest.mark.parametrize(
    ("info", "name"),
    [
        (b'{"name":"claude-code","version":"2"}', "claude-code"),
        (b"{}", ""),
        (b"", ""),
        (b'{"name":7}', ""),
        (b'["name"]', ""),
        (b'{"name":', ""),
        (b'{"name":"\xff"}', ""),
        (b"[" * 5000, ""),
        (b'{"name":"%b"}' % (b"x" * 201), ""),
    ],
)
def test_the_name_a_session_keeps(info: bytes, name: str) -> None:
    assert kept_name(info) == name


@pytest.mark.parametrize(
    ("params", "name"),
    [
        ({"_meta": {CLIENT_KEY: {"name": "cursor"}}}, "cursor"),
        ({"clientInfo": {"name": "cursor"}}, "cursor"),
        ({"_meta": {CLIENT_KEY: {}}, "clientInfo": {"name": "cursor"}}, ""),
        ({"_meta": {}}, ""),
        ({"_meta": 7}, ""),
        ({}, ""),
    ],
)
def test_the_name_a_request_carries(params: dict[str, object], name: str) -> None:
    assert sent_name(params) == name
