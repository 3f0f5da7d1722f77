from tests.torhaus.web.visits import Seen, visit
from torhaus.web.forms import FORM_TYPE


def kept(body: bytes) -> Seen:
    return visit("POST", "/preferences", body, {"content-type": FORM_TYPE})


def test_language_and_colours_are_kept_and_the_page_is_shown_again() -> None:
    found = kept(b"language=de&theme=dark&next=/status")

    assert (found.status, found.headers["location"]) == (303, "/status")
    assert [each.partition(";")[0] for each in found.cookies] == [
        "torhaus-language=de",
        "torhaus-theme=dark",
    ]
    assert all("HttpOnly" in each and "SameSite=lax" in each for each in found.cookies)


def test_what_is_not_ours_is_not_kept_and_leads_home() -> None:
    found = kept(b"language=fr&theme=%0d%0ax&next=//evil.example")

    assert found.cookies == []
    assert found.headers["location"] == "/me"


def test_like_the_system_forgets_the_choice() -> None:
    assert 'torhaus-theme=""' in kept(b"theme=").cookies[0]


def test_pages_follow_what_was_kept() -> None:
    page = visit("GET", "/status", b"", {"cookie": "torhaus-language=de; torhaus-theme=dark"}).text

    assert '<html lang="de" data-theme="dark">' in page
    assert "Alles funktioniert." in page
