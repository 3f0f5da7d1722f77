import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from tests.torhaus.web.visits import PAGES, Seen, visit
from torhaus.model.ports import StateError
from torhaus.web.front import Front

KINDS = (
    "application/x-www-form-urlencoded",
    "multipart/form-data",
    "text/plain",
    "application/json",
)


async def page(_request: Request) -> Response:
    return PlainTextResponse("done")


def sent(method: str, refused: tuple[int, str] | None = None, **headers: str) -> Seen:
    front = Front(pages=PAGES, look=lambda _scope: refused, origin=lambda: None)
    app = Starlette(
        routes=[front.route("/x", page, "GET", "POST"), front.open_route("/o", page, "POST")]
    )
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return visit(method, "/x", b"a=b", named, app)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "site", [{"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"}]
)
def test_what_another_site_posts_is_refused_in_every_content_type(
    kind: str, site: dict[str, str]
) -> None:
    found = sent("POST", content_type=kind, **site)

    assert found.status == 403
    assert "sent by another site" in found.text


def test_links_from_elsewhere_and_our_own_forms_pass() -> None:
    assert sent("GET", sec_fetch_site="cross-site").text == "done"
    assert sent("POST", sec_fetch_site="same-origin").text == "done"


def test_what_the_door_refuses_is_a_page_with_the_reason() -> None:
    found = sent("GET", (421, "this host name is not <served> here"))

    assert found.status == 421
    assert "not &lt;served&gt; here" in found.text
    assert "default-src 'none'" in found.headers["content-security-policy"]


def test_a_page_that_the_database_keeps_waiting_says_so_and_when_to_come_back() -> None:
    async def silent(_request: Request) -> Response:
        raise StateError("no way to db.internal")

    front = Front(pages=PAGES, look=lambda _scope: None, origin=lambda: None)
    found = visit("GET", "/x", app=Starlette(routes=[front.route("/x", silent)]))

    assert (found.status, found.headers["retry-after"]) == (503, "5")
    assert "cannot reach its database" in found.text
    assert "db.internal" not in found.text


def test_an_open_route_hears_other_sites_and_still_asks_the_door() -> None:
    asked: list[dict[str, str]] = []

    def look(scope: object) -> tuple[int, str] | None:
        asked.append({k.decode(): v.decode() for k, v in scope["headers"]})  # type: ignore[index]
        return None

    front = Front(pages=PAGES, look=look, origin=lambda: None)
    app = Starlette(routes=[front.open_route("/o", page, "POST")])

    found = visit(
        "POST", "/o", b"", {"origin": "https://idp.example", "sec-fetch-site": "cross-site"}, app
    )

    assert found.text == "done"
    assert "origin" not in asked[0]
    assert "host" in asked[0]
