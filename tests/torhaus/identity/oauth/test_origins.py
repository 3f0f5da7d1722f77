import pytest

from torhaus.identity.oauth.origins import Origins, cookie_name, secure

PUBLIC = Origins(public_url="https://gw.example")
HERE = Origins(port=8080)


def test_a_public_url_goes_before_every_host_header() -> None:
    for host in ("gw.example", "127.0.0.1:8080", "evil.example", ""):
        assert PUBLIC.of(host) == "https://gw.example"


@pytest.mark.parametrize("host", ["127.0.0.1:8080", "localhost:8080", "[::1]:8080", "localhost"])
def test_every_name_of_this_machine_is_an_origin_of_its_own(host: str) -> None:
    assert HERE.of(host) == f"http://{host}"
    assert HERE.of(host.upper()) == f"http://{host}"


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "localhost.evil.example",
        "127.0.0.1.evil.example:8080",
        "localhost:8080/evil",
        "localhost@evil",
        "localhost:x",
        "10.0.0.7:8080",
        "",
    ],
)
def test_any_other_name_is_not_believed(host: str) -> None:
    assert HERE.of(host) == "http://127.0.0.1:8080"


def test_a_server_is_named_before_our_own_host_name_only() -> None:
    assert PUBLIC.named("github.gw.example") == "github"
    assert PUBLIC.named("gw.example") == ""
    assert PUBLIC.named("github.evil.example") == ""
    assert HERE.named("github.localhost") == ""


def test_cookies_are_bound_to_the_host_where_browsers_allow_it() -> None:
    assert secure("https://gw.example")
    assert cookie_name("https://gw.example", "torhaus-consent") == "__Host-torhaus-consent"
    assert cookie_name("http://127.0.0.1:8080", "torhaus-consent") == "torhaus-consent"
