import pytest

from torhaus.web.returning import local


@pytest.mark.parametrize("path", ["/", "/me", "/me?x=1&y=%2F", "/authorize?client_id=a%20b"])
def test_addresses_here_are_kept(path: str) -> None:
    assert local(path) == path


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "me",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "\t//evil.example",
        " /me",
        "/me x",
        "https://evil.example",
        "https:evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "/me\r\nset-cookie: a=b",
        "/\u2028evil",
        "/\uff0fevil.example",
        "/" + "a" * 5000,
        "//[evil",
    ],
)
def test_everything_that_could_lead_elsewhere_leads_home(wanted: str) -> None:
    assert local(wanted) == "/me"
    assert local(wanted, "/x") == "/x"
