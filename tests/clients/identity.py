"""Real identity providers on loopback, and a browser that fills in their forms."""

import datetime
import html
import re
from pathlib import Path
from urllib.parse import urljoin

import httpx

from tests.clients.running import Program
from tests.clients.upstreams import COMPILED
from tests.ports import free_port
from torhaus.signin.saml_keys import pair

NODE = Path(__file__).parent / "node"
SECRET = "torhaus-secret-of-the-tests"
_INPUT = re.compile(r"<input[^>]*>")
_FORM = re.compile(r"<form[^>]*>")
_ATTRIBUTE = re.compile(r"""([a-z]+)\s*=\s*(?:"([^"]*)"|'([^']*)'|([^\s>"']+))""", re.IGNORECASE)


def oidc_provider(node: str, folder: Path, callback: str, logout: str = "") -> Program:
    port = free_port()
    env = {"PORT": str(port), "REDIRECT_URI": callback, "LOGOUT_URI": logout, **COMPILED}
    return Program([node, str(NODE / "idp_oidc.mjs")], port, folder / "oidc.log", env)


def samlp(node: str, folder: Path, acs: str, sign: str = "assertion") -> Program:
    port = free_port()
    key, certificate = pair(datetime.datetime.now(datetime.UTC))
    (folder / "idp.key").write_text(key)
    (folder / "idp.crt").write_text(certificate)
    files = {"KEY": str(folder / "idp.key"), "CERT": str(folder / "idp.crt")}
    env = {"PORT": str(port), "ACS": acs, "SIGN": sign, **files, **COMPILED}
    return Program([node, str(NODE / "idp_saml.cjs")], port, folder / "saml.log", env)


class Browser:
    """One person's: keeps cookies, follows redirects by hand, fills in forms."""

    def __init__(self) -> None:
        self.http = httpx.Client(follow_redirects=False, trust_env=False, timeout=90)

    def open(self, url: str, stop: str = "") -> httpx.Response:
        """Follow redirects until a page, or until the next one would begin with `stop`."""
        answer = self.http.get(url)
        return self.follow(answer, stop)

    def follow(self, answer: httpx.Response, stop: str = "") -> httpx.Response:
        for _ in range(20):
            if answer.status_code not in (301, 302, 303, 307):
                return answer
            where = urljoin(str(answer.url), answer.headers["location"])
            if stop and where.startswith(stop):
                return answer
            answer = self.http.get(where)
        raise AssertionError("too many redirects")

    def fill(self, page: httpx.Response, stop: str = "", **typed: str) -> httpx.Response:
        """Send the page's form with these values in it."""
        action, fields = form_of(page)
        return self.follow(self.http.post(action, data={**fields, **typed}), stop)


def form_of(page: httpx.Response) -> tuple[str, dict[str, str]]:
    """(URL, values as they are) of the first form."""
    text = page.text
    found = _FORM.search(text)
    assert found is not None, text[:2000]
    action = _attributes(found[0]).get("action", "")
    inputs = [_attributes(each) for each in _INPUT.findall(text)]
    fields = {each["name"]: each.get("value", "") for each in inputs if "name" in each}
    return urljoin(str(page.url), action) if action else str(page.url), fields


def _attributes(tag: str) -> dict[str, str]:
    return {
        name.lower(): html.unescape(one or two or three)
        for name, one, two, three in _ATTRIBUTE.findall(tag)
    }


def close(browser: Browser) -> None:
    browser.http.close()
