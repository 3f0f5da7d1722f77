"""Tokens that are bound to a key: oidc-provider issues them, oauth4webapi checks every proof."""

import json
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.running import Program
from tests.clients.test_accounts import AUTHORITY, text_of
from tests.clients.test_machine_accounts import client
from tests.clients.wire import Wire
from tests.ports import free_port

KEYS = {name: f"{name}-bound-key-0123456789abcdef" for name in ("alice", "bob")}
SECRET = "the-machines-secret-0123456789"
BOUND = upstreams.NODE_CLIENTS / "bound.mjs"
SERVERS = ("http", "oldsse")
LASTS = 33
"""Seconds of an access token: Torhaus gets another half a minute before."""


class Place:
    def __init__(self, gateway: Gateway, authority: Program, server: Program) -> None:
        self.gateway = gateway
        self.authority = f"http://127.0.0.1:{authority.port}"
        self.server = f"http://127.0.0.1:{server.port}"

    def seen(self) -> dict[str, Any]:
        found: dict[str, Any] = httpx.get(f"{self.server}/_test").json()
        return found

    def session(self, name: str, server: str) -> Wire:
        wire = Wire(self.gateway.url(server), {"apikey": KEYS[name]})
        wire.open()
        return wire

    def who(self, name: str, server: str) -> str:
        return text_of(self.session(name, server).tool("who", {}))

    def connected(self, name: str, server: str) -> None:
        """Connect him as he would in a browser, unless he is."""
        text = self.who(name, server)
        link = re.search(r"(http://127\.0\.0\.1:\d+/connect/\w+\?t=[\w=-]+)", text)
        if link is None:
            assert text == f"{name}-there"
            return
        with httpx.Client(follow_redirects=True) as browser:
            page = browser.get(link[1]).text
            form = _found(r'name="form" value="([^"]+)"', page)
            page = browser.post(link[1], data={"form": form, "key": KEYS[name]}).text
            page = browser.get(unescape(_found(r'id="onward"[^>]*href="([^"]+)"', page))).text
            for _ in range(2):  # signs in, and agrees
                where = self.authority + _found(r'action="(/interaction/[^"]+)"', page)
                page = browser.post(where, data={"login": f"{name}-there"}).text
            assert "Go back to your program" in page, page


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


@pytest.fixture(scope="module")
def place(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    for name in ("oidc-provider", "oauth4webapi"):
        if not (upstreams.MODULES / name).exists():
            pytest.skip(f"no {name} here: `make pytest` installs it")
    home, port, other = tmp_path_factory.mktemp("bound"), free_port(), free_port()
    here, issuer = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{other}"
    machine = client(
        "machine",
        "client_secret_basic",
        client_secret=SECRET,
        dpop_bound_access_tokens=True,
        grant_types=["client_credentials"],
    )
    env = {"PORT": str(other), "RESOURCE": here, "LASTS": str(LASTS), "BOUND": "yes"}
    env |= {"CLIENTS": json.dumps([machine])}
    authority = Program([node, str(AUTHORITY)], other, home / "authority.log", env)
    env = {"PORT": str(port), "ISSUER": issuer}
    server = Program([node, str(BOUND)], port, home / "server.log", env)
    auth = {"type": "oauth", "mode": "user"}
    own = {"type": "oauth", "mode": "client", "client_id": "machine", "client_secret": SECRET}
    config = {
        "users": [
            {"email": f"{name}@example.com", "role": "all", "api_keys": [key]}
            for name, key in KEYS.items()
        ],
        "roles": {"all": {"permissions": ["*"]}},
        "egress": {"allow": ["loopback"]},
        "mcpServers": {
            "http": {"url": f"{here}/mcp", "auth": auth},
            "oldsse": {"url": f"{here}/sse", "auth": auth, "transport": "sse"},
            "own": {"url": f"{here}/mcp", "auth": {**own, "dpop": True, "issuer": issuer}},
        },
    }
    with authority, server, Gateway(json.dumps(config), home / "gateway") as gateway:
        yield Place(gateway, authority, server)


@pytest.mark.parametrize("server", SERVERS)
def test_whoever_connects_gets_in_with_proofs_over_each_transport(
    place: Place, server: str
) -> None:
    place.connected("alice", server)

    assert place.who("alice", server) == "alice-there"
    seen = place.seen()
    assert (seen["wrong"], seen["replayed"]) == ([], 0)
    assert seen["methods"]["GET" if server == "oldsse" else "POST"] > 0


def test_torhauss_own_account_is_bound_as_the_file_says(place: Place) -> None:
    assert place.who("alice", "own") == "machine"


@pytest.mark.parametrize("server", SERVERS)
def test_many_calls_at_once_get_through_changing_nonces_and_none_twice(
    place: Place, server: str
) -> None:
    place.connected("alice", server)
    before = place.seen()
    sessions = [place.session("alice", server) for _ in range(4)]

    def ask(wire: Wire) -> list[str]:
        return [text_of(wire.tool("who", {})) for _ in range(10)]

    with ThreadPoolExecutor(4) as threads:
        texts = [text for texts in threads.map(ask, sessions) for text in texts]

    seen = place.seen()
    assert set(texts) == {"alice-there"}
    assert (seen["wrong"], seen["replayed"]) == ([], 0)
    assert seen["nonce"] > before["nonce"]


def test_each_has_a_key_of_his_own_which_stays_when_tokens_are_renewed(place: Place) -> None:
    for name in KEYS:
        place.connected(name, "http")
        assert place.who(name, "http") == f"{name}-there"
    keys = place.seen()["keys"]
    refreshed = int(httpx.get(f"{place.authority}/_test/refreshed").text)
    deadline = time.monotonic() + 90

    while int(httpx.get(f"{place.authority}/_test/refreshed").text) == refreshed:
        assert time.monotonic() < deadline
        for name in KEYS:
            assert place.who(name, "http") == f"{name}-there"

    assert len(keys) >= 2
    assert place.seen()["keys"] == keys


def test_after_a_restart_the_key_is_there(place: Place) -> None:
    place.connected("bob", "http")
    assert place.who("bob", "http") == "bob-there"
    keys = place.seen()["keys"]
    place.gateway.stop()
    place.gateway.start()

    assert place.who("bob", "http") == "bob-there"
    assert place.seen()["keys"] == keys


def test_no_key_and_no_token_is_written_down_in_clear(place: Place) -> None:
    place.connected("alice", "http")
    kept = [each.read_bytes() for each in Path(place.gateway.home).rglob("*") if each.is_file()]

    for word in (b"proof_key", b"ES256.", b"dpop: ", b"DPoP ey", b"access_token"):
        assert not any(word in each for each in kept), word
