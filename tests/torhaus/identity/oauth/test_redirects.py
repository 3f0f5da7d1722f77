import pytest

from torhaus.identity.oauth.redirects import fault, fits, is_loopback, shown

CLAUDE = ("http://localhost/callback", "http://127.0.0.1/callback")
WEB = ("https://app.example/callback",)
CURSOR = "cursor://anysphere.cursor-mcp/oauth/callback"

TRICKS = [
    "javascript:alert(1)",
    "JavaScript://app.example/%0aalert(1)",
    "data:text/html,<script>alert(1)</script>",
    "file:///etc/passwd",
    "vbscript:x",
    "about:blank",
    "//evil.example/callback",
    "/callback",
    "\\\\evil.example",
    "/\\evil.example",
    "https:evil.example",
    "https:///evil.example",
    "https://app.example\\@evil.example/callback",
    "https://app.example@evil.example/callback",
    "https://user:word@app.example/callback",
    "https://app.example/callback#fragment",
    "https://app.example/callback#",
    "https://*.example/callback",
    "https://app.example/*",
    "https://app.example/../callback",
    "https://app.example/x/%2e%2e/callback",
    "https://app.example/call back",
    "https://app.example/call\tback",
    "https://app.example/callback\r\nSet-Cookie: x=1",
    "https://app.example/callback\x00",
    "https://\u0430pp.example/callback",
    "https://[::1]/callback",
    "https://app.example:0/callback",
    "https://app.example:99999/callback",
    "https://APP.example/callback",
    "http://app.example/callback",
    "http://localhost.evil.example/callback",
    "http://127.0.0.1.evil.example/callback",
    "http://127.0.0.2/callback",
    "http://0.0.0.0/callback",
    "http://localhost@evil.example/callback",
    "http://localhost:80@evil.example/callback",
    "http://LOCALHOST/callback",
    "http://localhost:0/callback",
    "http://localhost:99999/callback",
    "http://2130706433/callback",
    "http://[::ffff:127.0.0.1]/callback",
    "cursor://anysphere.cursor-mcp/oauth/callback/../../evil",
    "cursor://evil.extension/oauth/callback",
    "vscode://evil.extension/callback",
    "com.evil.app:/callback",
    "",
    "https://" + "a" * 2100,
]


@pytest.mark.parametrize("uri", TRICKS)
def test_no_client_may_name_a_trick(uri: str) -> None:
    assert fault(uri) is not None


@pytest.mark.parametrize("uri", TRICKS)
def test_no_request_gets_through_with_a_trick(uri: str) -> None:
    assert not fits(uri, (*CLAUDE, *WEB, CURSOR))


@pytest.mark.parametrize(
    "uri",
    [
        "https://app.example/callback",
        "https://app.example:8443/cb?tenant=1",
        "https://www.cursor.com/agents/mcp/oauth/callback",
        "http://localhost/callback",
        "http://127.0.0.1:33418/",
        "http://127.0.0.1:33418",
        "http://[::1]:7777/mcp/oauth/callback",
        "http://localhost:6274/oauth/callback/debug",
        CURSOR,
    ],
)
def test_what_real_clients_name_is_taken(uri: str) -> None:
    assert fault(uri) is None
    assert fits(uri, (uri,))


def test_an_address_of_the_configuration_is_taken_as_it_is() -> None:
    assert fault("myapp://login", also=("myapp://login",)) is None
    assert fault("myapp://login/x", also=("myapp://login",)) is not None


@pytest.mark.parametrize("port", ["", ":80", ":3118", ":51283", ":65535"])
def test_loopback_may_use_any_port(port: str) -> None:
    assert fits(f"http://localhost{port}/callback", CLAUDE)
    assert fits(f"http://127.0.0.1{port}/callback", ("http://127.0.0.1:3118/callback",))


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:3118/other",
        "http://localhost:3118/callback/",
        "http://localhost:3118/callback?x=1",
        "http://localhost:3118/Callback",
        "http://localhost:3118",
        "http://[::1]:3118/callback",
        "https://localhost:3118/callback",
        "http://localhost:65536/callback",
        "http://localhost:03118/callback",
    ],
)
def test_only_the_port_of_loopback_may_differ(uri: str) -> None:
    assert not fits(uri, CLAUDE)


def test_elsewhere_the_port_must_be_the_registered_one() -> None:
    assert not fits("https://app.example:8443/callback", WEB)


def test_a_client_may_be_held_to_its_port() -> None:
    assert fits("http://localhost:8765/callback", CLAUDE, ports=(8765,))
    assert not fits("http://localhost:8766/callback", CLAUDE, ports=(8765,))
    assert not fits("http://localhost/callback", CLAUDE, ports=(8765,))
    assert fits("https://app.example/callback", WEB, ports=(8765,))


def test_people_see_where_it_leads() -> None:
    assert shown("http://localhost:51283/callback") == "localhost:51283"
    assert shown("https://app.example/callback") == "app.example"
    assert shown(CURSOR) == "cursor://anysphere.cursor-mcp"
    assert is_loopback("http://localhost:51283/callback")
    assert not is_loopback("https://app.example/callback")
