"""A program is let in by somebody who signs in at an identity provider that others wrote."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qsl, urljoin, urlsplit

import httpx
import pytest

from tests.clients.gateway import Gateway
from tests.clients.identity import SECRET, Browser, close, oidc_provider
from tests.stories.signing import BACK, Program

pytestmark = pytest.mark.node
CONFIG = """
roles: {{developer: {{permissions: ["github:*"]}}}}
mcpServers: {{github: {{url: "http://127.0.0.1:9/mcp"}}}}
auth:
  oidc:
    issuer: http://127.0.0.1:{idp}
    client_id: torhaus
    client_secret: {secret}
    groups: {{developers: developer}}
"""


class Place:
    """A gateway and its identity provider."""

    def __init__(self, gateway: Gateway, idp: int) -> None:
        self.gateway = gateway
        self.idp = f"http://127.0.0.1:{idp}"
        self.program = Program(gateway.port)
        self.program.register()

    def agree(self, browser: Browser) -> str:
        """Let the program in; where the provider's button leads then."""
        asked = browser.open(self.program.request("github"))
        assert "Let it in" in asked.text
        login = browser.fill(asked, decision="allow")
        assert login.url.path == "/login"
        found = re.search(r'href="(/login/oidc\?[^"]+)"', login.text)
        assert found is not None, login.text
        return self.program.origin + unescape(found[1])

    def sign_in(self, browser: Browser, button: str) -> httpx.Response:
        """At the provider, and back to where the program waits, which is not asked."""
        page = browser.fill(browser.open(button), stop=BACK, login="alice", password="alice-word")
        refresh = page.headers.get("refresh")
        assert refresh is not None, page.text
        return browser.open(urljoin(str(page.url), refresh.partition("url=")[2]), stop=BACK)


@pytest.fixture
def place(node: str, tmp_path: Path) -> Iterator[Place]:
    gateway = Gateway("", tmp_path / "gateway")
    callback = f"http://127.0.0.1:{gateway.port}/callback/oidc"
    with oidc_provider(node, tmp_path, callback) as idp:
        gateway.file.write_text(CONFIG.format(idp=idp.port, secret=SECRET))
        with gateway:
            yield Place(gateway, idp.port)


@pytest.fixture
def browsers() -> Iterator[list[Browser]]:
    made = [Browser(), Browser()]
    yield made
    for each in made:
        close(each)


def test_a_person_lets_a_program_in_and_signs_in_at_the_provider(
    place: Place, browsers: list[Browser]
) -> None:
    browser, _ = browsers

    back = place.sign_in(browser, place.agree(browser))

    told = dict(parse_qsl(urlsplit(back.headers["location"]).query))
    status, tokens = place.program.exchange(told["code"])
    assert (status, told["iss"]) == (200, place.program.origin)
    assert tokens["access_token"].startswith("tht_")
    acts = [each["operation"] for each in place.gateway.records()]
    assert acts[-3:] == ["signin.succeeded", "consent.given", "token.issued"]


def test_nobody_makes_anothers_browser_finish_his_sign_in(
    place: Place, browsers: list[Browser]
) -> None:
    """CVE-2026-27124: the victim is signed in at the provider, which then asks nothing."""
    attacker, victim = browsers
    place.sign_in(victim, place.agree(victim))
    before = len(place.gateway.records())
    button = place.agree(attacker)
    sent = attacker.open(button, stop=place.idp)
    trap = sent.headers["location"]
    assert trap.startswith(place.idp)

    for bait in (trap, button):
        seen = victim.open(bait, stop=BACK)
        assert "location" not in seen.headers or not seen.headers["location"].startswith(BACK)
        onward = seen.headers.get("refresh", "").partition("url=")[2]
        if onward:
            seen = victim.open(urljoin(str(seen.url), onward), stop=BACK)
        assert seen.status_code == 400, seen.text

    given = [each["operation"] for each in place.gateway.records()[before:]]
    assert "consent.given" not in given
