"""Each person with an account of his own: oidc-provider signs in, the `mcp` SDK's server checks."""

import json
import re
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from html import unescape
from typing import Any

import httpx
import pytest

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.running import Program
from tests.clients.warm import WarmProgram
from tests.clients.wire import Wire
from tests.ports import free_port

KEYS = {name: f"{name}-accounts-key-0123456789abcdef" for name in ("alice", "bob", "carol")}
NOTES = upstreams.HERE / "servers" / "notes.py"
AUTHORITY = upstreams.NODE_CLIENTS / "authority.mjs"
VERSION = "2026-07-28"
META = "io.modelcontextprotocol/"
ENVELOPE = {META + "protocolVersion": VERSION, META + "clientCapabilities": {}}
LASTS = 33
"""Seconds of an access token: Torhaus gets another half a minute before."""


class Place:
    """A gateway in front of a server that wants tokens, and the authorization server."""

    def __init__(self, gateway: Gateway, authority: Program) -> None:
        self.gateway = gateway
        self.authority = f"http://127.0.0.1:{authority.port}"

    def session(self, name: str) -> Wire:
        """A client of 2025-11-25 that can show no links."""
        wire = Wire(self.gateway.url("notes"), {"apikey": KEYS[name]})
        wire.open()
        return wire

    def tool(self, name: str, tool: str, **arguments: str) -> dict[str, Any]:
        """A call of 2026-07-28."""
        headers = {
            "apikey": KEYS[name],
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            "mcp-method": "tools/call",
            "mcp-name": tool,
        }
        params = {"name": tool, "arguments": arguments, "_meta": ENVELOPE}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        reply = httpx.post(self.gateway.url("notes"), json=body, headers=headers, timeout=90)
        text = reply.text.rpartition("data: ")[2] if "event-stream" in str(reply.headers) else ""
        found: dict[str, Any] = json.loads(text or reply.text)["result"]
        return found

    def said(self, name: str, tool: str, **arguments: str) -> str:
        return text_of(self.tool(name, tool, **arguments))

    def connected(self, name: str) -> None:
        """Connect him, unless he is."""
        text = self.said(name, "list_notes")
        if "/connect/" in text:
            self.connect(name, link_in(text))

    def connect(self, name: str, link: str, key: str | None = None) -> None:
        """What somebody does in a browser. `key`: another one of his than that of the file."""
        with httpx.Client(follow_redirects=True) as browser:
            page = browser.get(link).text
            form = _found(r'name="form" value="([^"]+)"', page)
            page = browser.post(link, data={"form": form, "key": key or KEYS[name]}).text
            page = browser.get(unescape(_found(r'id="onward"[^>]*href="([^"]+)"', page))).text
            for _ in range(2):  # signs in, and agrees
                where = self.authority + _found(r'action="(/interaction/[^"]+)"', page)
                page = browser.post(where, data={"login": f"{name}-there"}).text
            assert "Go back to your program" in page, page

    def refreshed(self) -> int:
        return int(httpx.get(f"{self.authority}/_test/refreshed").text)


@pytest.fixture(scope="module")
def place(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not (upstreams.MODULES / "oidc-provider").exists():
        pytest.skip("no oidc-provider here: `make pytest` installs it")
    home, port, other = tmp_path_factory.mktemp("accounts"), free_port(), free_port()
    url, issuer = f"http://127.0.0.1:{port}/mcp", f"http://127.0.0.1:{other}"
    env = {"PORT": str(other), "RESOURCE": url, "LASTS": str(LASTS), **upstreams.COMPILED}
    authority = Program([node, str(AUTHORITY)], other, home / "authority.log", env)
    notes = WarmProgram([sys.executable, str(NOTES), str(port), issuer], port, home / "notes.log")
    auth = {"type": "oauth", "mode": "user"}
    config: dict[str, Any] = {
        "users": [
            {"email": f"{name}@example.com", "role": "all", "api_keys": [key]}
            for name, key in KEYS.items()
        ],
        "roles": {"all": {"permissions": ["*"]}},
        "egress": {"allow": ["loopback"]},
        "cache_invalidation": [{"trigger": "notes.add_note", "invalidate": "notes.list_notes"}],
        "mcpServers": {
            "notes": {
                "url": url,
                "auth": auth,
                "cache": {"ttl": "1h"},
                "classification": {
                    "tools": {
                        "list_notes": {"action": "read", "resource": "notes"},
                        "add_note": {"action": "write", "resource": "notes"},
                    }
                },
            }
        },
    }
    with authority, notes, Gateway(json.dumps(config), home / "gateway") as gateway:
        yield Place(gateway, authority)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]


def link_in(text: str) -> str:
    return _found(r"(http://127\.0\.0\.1:\d+/connect/notes\?t=[\w=-]+)", text)


def text_of(result: dict[str, Any]) -> str:
    return str(result["content"][0]["text"])


def test_a_call_without_an_account_says_where_to_connect_and_then_works(place: Place) -> None:
    missing = place.tool("carol", "list_notes")
    assert missing["isError"]
    place.connect("carol", link_in(text_of(missing)))

    assert place.said("carol", "list_notes").startswith("carol-there: ")
    (kept,) = [
        each for each in place.gateway.records() if each["operation"] == "credential.connected"
    ][-1:]
    assert kept["user"]["email"] == "carol@example.com"


def test_a_session_that_began_before_goes_on_after(place: Place) -> None:
    wire = place.session("bob")
    text = text_of(wire.tool("list_notes", {}))
    if "/connect/" in text:
        place.connect("bob", link_in(text))

    assert text_of(wire.tool("list_notes", {})).startswith("bob-there: ")
    assert {each["name"] for each in wire.call("tools/list")["tools"]} == {"list_notes", "add_note"}


def test_no_one_ever_sees_anothers(place: Place) -> None:
    """Kept answers, sessions and calls without one, of two people at once."""
    for name in ("alice", "bob"):
        place.connected(name)
        place.said(name, "add_note", text=f"secret-of-{name}")
    sessions = {name: place.session(name) for name in ("alice", "bob")}

    def look(number: int) -> tuple[str, str]:
        name = ("alice", "bob")[number % 2]
        return name, place.said(name, "list_notes")

    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(look, range(200)))
    for name, wire in sessions.items():
        seen += [(name, text_of(wire.tool("list_notes", {}))) for _ in range(20)]

    for name, text in seen:
        other = "bob" if name == "alice" else "alice"
        assert text.startswith(f"{name}-there: secret-of-{name}"), text
        assert other not in text
    mine = {text for name, text in seen if name == "alice"}
    assert len(mine) == 1  # all but the first came from his own part of the cache


def test_one_refresh_serves_many_calls_and_nothing_is_refused(place: Place) -> None:
    place.connected("alice")
    began = place.refreshed()
    deadline = time.monotonic() + 60

    while place.refreshed() == began and time.monotonic() < deadline:
        with ThreadPoolExecutor(8) as threads:
            texts = list(
                threads.map(lambda n: place.said("alice", "add_note", text=str(n)), range(8))
            )
        assert all(text.startswith("alice-there has ") for text in texts), texts

    assert place.refreshed() == began + 1


def test_no_token_is_written_down_in_clear(place: Place) -> None:
    place.connected("alice")
    written = [each.read_bytes() for each in place.gateway.home.rglob("*") if each.is_file()]

    assert any(b"oauth-user" in each for each in written)  # what kind it is, is no secret
    names = (b"access_token", b"refresh_token", b"Bearer ")
    assert not any(name in each for name in names for each in written)


def test_who_disconnects_is_asked_to_connect_again(place: Place) -> None:
    place.connected("carol")
    where = f"http://127.0.0.1:{place.gateway.port}/api/v1/credentials/notes"
    gone = httpx.delete(
        where, params={"user": "carol@example.com"}, headers={"apikey": KEYS["carol"]}
    )

    assert gone.status_code == 200
    assert "/connect/notes" in place.said("carol", "list_notes")


def test_a_key_that_is_for_this_server_alone_connects_its_owners_account(place: Place) -> None:
    """One of the database, as programs have it: the call that needs the account came with it."""
    where = f"http://127.0.0.1:{place.gateway.port}/api/v1/keys"
    wish = {"label": "program", "server": "notes"}
    made = httpx.post(where, json=wish, headers={"apikey": KEYS["bob"]}).json()
    wire = Wire(place.gateway.url("notes"), {"apikey": made["key"]})
    wire.open()
    httpx.delete(
        f"http://127.0.0.1:{place.gateway.port}/api/v1/credentials/notes",
        params={"user": "bob@example.com"},
        headers={"apikey": KEYS["bob"]},
    )

    place.connect("bob", link_in(text_of(wire.tool("list_notes", {}))), made["key"])

    assert text_of(wire.tool("list_notes", {})).startswith("bob-there: ")
