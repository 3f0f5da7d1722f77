"""Enterprise-managed authorization: nobody connects an account.

oidc-provider signs people in and vouches for them, the `mcp` SDK's own authorization server takes
its word.
"""

import json
import sqlite3
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import httpx
import pytest

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.identity import NODE, SECRET, Browser, close
from tests.clients.running import Program
from tests.clients.test_accounts import text_of
from tests.clients.wire import Wire
from tests.ports import free_port

NAMES = ("alice", "carol", "dora", "dana", "bot")
KEYS = {name: f"{name}-vouched-key-0123456789abcdef" for name in NAMES}
THERE = "torhauss-secret-there-0123456789"
VOUCHED = upstreams.HERE / "servers" / "vouched.py"
LASTS = 33
"""Seconds of an access token: Torhaus gets another half a minute before."""
ID_TOKEN = 40
"""Seconds of an ID token, which is renewed half a minute before as well."""


class Place:
    def __init__(self, gateway: Gateway, idp: str) -> None:
        self.gateway = gateway
        self.idp = idp
        self.base = f"http://127.0.0.1:{gateway.port}"

    def tool(self, name: str) -> dict[str, Any]:
        wire = Wire(self.gateway.url("notes"), {"apikey": KEYS[name]})
        wire.open()
        return wire.tool("who", {})

    def who(self, name: str) -> str:
        found = self.tool(name)
        assert not found.get("isError"), found
        return str(json.loads(text_of(found))["who"])

    def refusal(self, name: str) -> str:
        found = self.tool(name)
        assert found["isError"]
        return text_of(found)

    def asked(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.idp}/_test").json()
        return found

    def sign_in(self, name: str) -> Browser:
        """As somebody does in a browser, at the address that his call was answered with."""
        browser = Browser()
        page = browser.open(f"{self.base}/login/oidc")
        if str(page.url).startswith(self.idp):
            page = browser.fill(page, login=name, password=f"{name}-word")
        assert page.status_code == 200, page.text
        return browser

    def in_(self, name: str) -> None:
        if self.tool(name).get("isError"):
            close(self.sign_in(name))

    def rows(self, name: str) -> list[tuple[str, str]]:
        """(server, kind) of what the vault has of somebody."""
        with closing(sqlite3.connect(self.gateway.data / "state.db")) as database:
            query = "SELECT server, kind FROM vault WHERE email = ? ORDER BY server, kind"
            return list(database.execute(query, (f"{name}@example.com",)))


@pytest.fixture(scope="module")
def place(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not (upstreams.MODULES / "oidc-provider").exists():
        pytest.skip("no oidc-provider here: `make pytest` installs it")
    home, port, other = tmp_path_factory.mktemp("vouched"), free_port(), free_port()
    there, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
    auth = {
        "type": "oauth",
        "mode": "user",
        "provider": "oidc",
        "issuer": there,
        "client_id": "torhaus-there",
        "client_secret": THERE,
    }
    config: dict[str, Any] = {
        "users": [
            {"email": f"{name}@example.com", "role": "all", "api_keys": [key]}
            for name, key in KEYS.items()
        ],
        "roles": {"all": {"permissions": ["*"]}},
        "egress": {"allow": ["loopback"]},
        "auth": {
            "oidc": {
                "label": "Company",
                "issuer": issuer,
                "client_id": "torhaus",
                "client_secret": SECRET,
            }
        },
        "mcpServers": {
            "notes": {"url": f"{there}/mcp", "auth": auth},
            "elsewhere": {
                "url": f"{there}/mcp",
                "auth": {**auth, "client_secret": "another-secret-0123456789abcdef"},
            },
        },
    }
    gateway = Gateway(json.dumps(config), home / "gateway")
    env = {
        "PORT": str(other),
        "REDIRECT_URI": f"http://127.0.0.1:{gateway.port}/callback/oidc",
        "LOGOUT_URI": f"http://127.0.0.1:{gateway.port}/backchannel-logout/oidc",
        "PAIRS": json.dumps({f"{there} {there}/mcp": "torhaus-there"}),
        "BARRED": "u-carol",
        "ID_TOKEN": str(ID_TOKEN),
    }
    idp = Program([node, str(NODE / "idp_oidc.mjs")], other, home / "idp.log", env)
    command = [sys.executable, str(VOUCHED), str(port), issuer, str(LASTS)]
    with idp, Program(command, port, home / "vouched.log"), gateway:
        yield Place(gateway, issuer)


def test_who_has_not_signed_in_reads_where_to_and_then_needs_nothing_more(place: Place) -> None:
    text = place.refusal("alice")
    assert text.startswith("notes cannot be used yet: you have not signed in with Company.")
    assert f"Open {place.base}/login/oidc to sign in, then call again." in text

    close(place.sign_in("alice"))

    assert place.who("alice") == "u-alice"
    (kept,) = [
        each for each in place.gateway.records() if each["operation"] == "credential.connected"
    ][:1]
    assert kept["parameters"]["provider"] == "oidc"


def test_one_exchange_serves_many_calls(place: Place) -> None:
    place.in_("dora")
    before = place.asked()["of"].get("u-dora", 0)

    with ThreadPoolExecutor(6) as threads:
        seen = set(threads.map(lambda _: place.who("dora"), range(24)))

    assert seen == {"u-dora"}
    assert place.asked()["of"]["u-dora"] <= before + 2  # a token may end on the way


def test_the_provider_decides_who_gets_in(place: Place) -> None:
    close(place.sign_in("carol"))

    text = place.refusal("carol")

    assert text == (
        "notes cannot be used yet: Company does not let you in there (access_denied): "
        "ask an administrator."
    )


def test_an_authorization_server_that_does_not_know_us_is_told_to_the_caller(place: Place) -> None:
    place.in_("alice")
    wire = Wire(place.gateway.url("elsewhere"), {"apikey": KEYS["alice"]})
    wire.open()

    found = wire.tool("who", {})

    assert found["isError"]
    assert "does not take Company's word for you (" in text_of(found)
    assert "ask an administrator" in text_of(found)


def test_tokens_and_sign_ins_are_renewed_while_calls_go_on(place: Place) -> None:
    place.in_("alice")
    before = place.asked()
    deadline = time.monotonic() + 120

    while True:
        assert place.who("alice") == "u-alice"
        now = place.asked()
        renewed = now["refreshed"] > before["refreshed"]
        if renewed and now["of"]["u-alice"] >= before["of"]["u-alice"] + 2:
            break
        assert time.monotonic() < deadline, now
        time.sleep(0.3)


def test_what_is_kept_is_sealed_and_told_nowhere(place: Place) -> None:
    place.in_("alice")
    written = [each.read_bytes() for each in place.gateway.home.rglob("*") if each.is_file()]

    assert any(b"oauth-enterprise" in each for each in written)
    tokens = place.asked()["tokens"]
    assert tokens
    for token in tokens:
        assert not any(token.encode() in each for each in written)
        signature = token.rpartition(".")[2]
        assert not any(signature.encode() in each for each in written)


def test_my_servers_says_through_whom(place: Place) -> None:
    browser = place.sign_in("dora")
    page = browser.http.get(f"{place.base}/me/servers").text
    close(browser)

    assert "through Company" in page


def test_signing_out_at_the_provider_ends_it(place: Place) -> None:
    browser = place.sign_in("dora")
    assert place.who("dora") == "u-dora"
    assert ("idp:oidc", "identity") in place.rows("dora")
    asked = browser.open(f"{place.idp}/session/end?client_id=torhaus")
    browser.fill(asked, logout="yes")
    close(browser)

    assert place.rows("dora") == []
    deadline = time.monotonic() + 60
    while "not signed in with Company" not in text_of(place.tool("dora")):
        assert time.monotonic() < deadline


def test_offboarding_takes_all_of_it(place: Place) -> None:
    place.in_("alice")
    assert {kind for _, kind in place.rows("alice")} == {"identity", "oauth-enterprise"}

    answer = httpx.post(
        f"{place.base}/api/v1/people/alice@example.com/offboard",
        json={"reason": "left"},
        headers={"apikey": KEYS["dana"]},
    )

    assert answer.status_code == 200, answer.text
    assert place.rows("alice") == []
    refused = httpx.post(place.gateway.url("notes"), json={}, headers={"apikey": KEYS["alice"]})
    assert refused.status_code == 401
