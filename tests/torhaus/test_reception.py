from itertools import product
from pathlib import Path

from starlette.routing import Route

from tests.torhaus.cast import run
from tests.torhaus.web.house import House, house
from torhaus.web.forms import FORM_TYPE

KINDS = (FORM_TYPE, "multipart/form-data; boundary=x", "text/plain", "application/json", "")
SITES = ({"sec_fetch_site": "cross-site"}, {"origin": "https://evil.example"})
ABROAD = ("/callback/{provider}", "/backchannel-logout/{provider}")
"""What other sites send on purpose; each proves by what it brings."""


def pages(at: House, method: str) -> list[str]:
    found = [each for each in at.reception.routes() if method in (each.methods or ())]
    assert all(isinstance(each, Route) for each in found)
    return [each.path for each in found]


def test_no_other_site_can_post_any_page_in_any_content_type(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser = at.browser()
            paths = [each for each in pages(at, "POST") if each not in ABROAD]
            for path, kind, site in product(paths, KINDS, SITES):
                seen = await browser.post(_filled(path), {}, content_type=kind, **site)
                assert seen.status == 403, (path, kind, site)
            assert at.hall.ledger.durable == []

    run(story())


def test_looking_at_a_page_changes_and_records_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser = at.browser()
            for path in pages(at, "GET"):
                seen = await browser.get(_filled(path))
                assert seen.status < 500, path
            assert at.hall.ledger.durable == []
            assert at.hall.effects == []

    run(story())


def test_every_page_has_the_policy(tmp_path: Path) -> None:
    async def story() -> None:
        async with house(tmp_path) as at:
            browser = at.browser()
            for path in pages(at, "GET"):
                seen = await browser.get(_filled(path))
                if seen.status in (303, 307):
                    continue
                assert "default-src 'none'" in seen.headers["content-security-policy"], path
                assert seen.headers["cache-control"] == "no-store", path

    run(story())


def _filled(path: str) -> str:
    return path.replace("{provider}", "corp").replace("{token}", "0" * 64)
