import pytest

from torhaus.web.security import foreign, page_headers

HOST = (b"host", b"gw.example.org")


@pytest.mark.parametrize(
    ("headers", "abroad"),
    [
        ([], False),
        ([(b"sec-fetch-site", b"same-origin")], False),
        ([(b"sec-fetch-site", b"none")], False),
        ([(b"sec-fetch-site", b"cross-site")], True),
        ([(b"sec-fetch-site", b"same-site")], True),
        ([(b"sec-fetch-site", b"SAME-ORIGIN")], True),
        ([(b"origin", b"https://gw.example.org")], False),
        ([(b"origin", b"https://evil.example")], True),
        ([(b"origin", b"null")], True),
        ([(b"origin", b"https://gw.example.org.evil.example")], True),
        ([(b"sec-fetch-site", b"cross-site"), (b"origin", b"https://gw.example.org")], True),
    ],
)
def test_what_another_site_made_the_browser_send_is_seen(
    headers: list[tuple[bytes, bytes]], abroad: bool
) -> None:
    assert foreign({"headers": [HOST, *headers]}, None) is abroad


def test_behind_a_proxy_that_changes_the_host_our_own_origin_is_known() -> None:
    sent = {"headers": [(b"host", b"10.0.0.7:8080"), (b"origin", b"https://gw.example.org")]}

    assert foreign(sent, None)
    assert not foreign(sent, "https://gw.example.org")
    assert foreign(sent, "http://gw.example.org")


def test_nothing_runs_on_a_page_and_nothing_is_loaded_from_elsewhere() -> None:
    policy = page_headers()["content-security-policy"]

    assert "script-src" not in policy
    assert "unsafe" not in policy
    for part in ("default-src 'none'", "base-uri 'none'", "frame-ancestors 'none'"):
        assert part in policy
    assert "form-action 'self';" in policy


def test_a_form_may_lead_to_what_the_page_names() -> None:
    policy = page_headers(form_action=("http://localhost:3118",))["content-security-policy"]

    assert "form-action 'self' http://localhost:3118;" in policy
