import pytest

from torhaus.identity.oauth.resources import alias, meant, resource

ORIGIN = "https://gw.example"
NAMES = ("github", "sentry", "team")


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("https://gw.example/mcp/github", "github"),
        ("https://gw.example/mcp/github/", "github"),
        ("HTTPS://GW.Example/mcp/github", "github"),
        ("https://gw.example:443/mcp/github", "github"),
        ("https://gw.example/mcp", ""),
        ("https://gw.example/mcp/", ""),
        ("https://gw.example", ""),
        ("https://gw.example/", ""),
        ("https://github.gw.example/mcp", "github"),
    ],
)
def test_one_address_has_several_spellings(told: str, name: str) -> None:
    assert meant(told, ORIGIN, NAMES) == name


@pytest.mark.parametrize(
    "told",
    [
        "http://gw.example/mcp/github",
        "https://gw.example:8443/mcp/github",
        "https://gw.example/mcp/unknown",
        "https://gw.example/mcp/GitHub",
        "https://gw.example/mcp/github//",
        "https://gw.example/mcp/github/x",
        "https://gw.example/mcp/../mcp/github",
        "https://gw.example/mcp/%67ithub",
        "https://gw.example/mcp/github?x=1",
        "https://gw.example/mcp/github#x",
        "https://gw.example//mcp/github",
        "https://gw.example/api",
        "https://gw.example@evil.example/mcp/github",
        "https://evil.example/mcp/github",
        "https://gw.example.evil.example/mcp/github",
        "https://github.evil.example/mcp",
        "https://unknown.gw.example/mcp",
        "https://github.gw.example/mcp/github",
        "https://gw.example\\@evil/mcp/github",
        "https://gw.example/mcp/github ",
        "https://gw.example:0/mcp",
        "https://gw.example:99999/mcp",
        "https://[gw.example/mcp",
        "urn:mcp:github",
        "/mcp/github",
        "",
    ],
)
def test_what_is_not_ours_is_nothing(told: str) -> None:
    assert meant(told, ORIGIN, NAMES) is None


def test_what_we_write_we_understand() -> None:
    for origin in (ORIGIN, "http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"):
        for name in ("", *NAMES):
            assert meant(resource(origin, name), origin, NAMES) == name
    assert meant(alias(ORIGIN, "github"), ORIGIN, NAMES) == "github"
