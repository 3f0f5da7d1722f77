"""Two gateways on one PostgreSQL and one data folder, and people who sign in at a server."""

import json
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any

import httpx

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.running import Program
from tests.ports import free_port

NOTES = upstreams.HERE / "servers" / "notes.py"
AUTHORITY = upstreams.NODE_CLIENTS / "authority.mjs"
VERSION = "2026-07-28"
META = "io.modelcontextprotocol/"
ENVELOPE = {META + "protocolVersion": VERSION, META + "clientCapabilities": {}}


def key(name: str) -> str:
    return f"{name}-key-of-the-file-0123456789"


def address(name: str) -> str:
    return f"{name}@example.com"


class Pair:
    """Two gateways that read one file and share a data folder; by turns, `number` says which."""

    def __init__(self, one: Gateway, other: Gateway, client: httpx.Client) -> None:
        self.gateways = (one, other)
        self._client = client

    def call(self, number: int, name: str, server: str, tool: str) -> dict[str, Any]:
        """The result of a call of 2026-07-28."""
        headers = {
            "apikey": key(name),
            "accept": "application/json, text/event-stream",
            "mcp-protocol-version": VERSION,
            "mcp-method": "tools/call",
            "mcp-name": tool,
        }
        params = {"name": tool, "arguments": {}, "_meta": ENVELOPE}
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}
        reply = self._client.post(self.gateways[number % 2].url(server), json=body, headers=headers)
        text = reply.text.rpartition("data: ")[2] if "event-stream" in str(reply.headers) else ""
        found: dict[str, Any] = json.loads(text or reply.text)["result"]
        return found

    def said(self, number: int, name: str, server: str, tool: str) -> str:
        return str(self.call(number, name, server, tool)["content"][0]["text"])

    def api(
        self, number: int, name: str, method: str, path: str, body: object = None
    ) -> httpx.Response:
        where = f"http://127.0.0.1:{self.gateways[number % 2].port}/api/v1/{path}"
        return self._client.request(method, where, json=body, headers={"apikey": key(name)})


@contextmanager
def pair(config: Mapping[str, Any], home: Path) -> Iterator[Pair]:
    one, other = (Gateway(json.dumps(config), home) for _ in range(2))
    one.log, other.log = home / "one.log", home / "other.log"
    with one, other, httpx.Client(timeout=120) as client:
        yield Pair(one, other, client)


class Office:
    """Where people sign in for the server `notes`: oidc-provider, with rotated refresh tokens."""

    def __init__(self, authority: Program, notes: Program) -> None:
        self.url = f"http://127.0.0.1:{authority.port}"
        self.server = {
            "url": f"http://127.0.0.1:{notes.port}/mcp",
            "auth": {"type": "oauth", "mode": "user"},
            "classification": {"tools": {"list_notes": {"action": "read", "resource": "notes"}}},
        }

    def told(self, what: str) -> int:
        """`refreshed`: how often tokens were; `reused`: how often one came twice."""
        return int(httpx.get(f"{self.url}/_test/{what}").text)

    def connect(self, at: Pair, number: int, name: str) -> None:
        """What somebody does in a browser after his first call."""
        text = at.said(number, name, "notes", "list_notes")
        link = _found(r"(http://[\w.:]+/connect/notes\?t=[\w=-]+)", text)
        with httpx.Client(follow_redirects=True, timeout=90) as browser:
            form = _found(r'name="form" value="([^"]+)"', browser.get(link).text)
            page = browser.post(link, data={"form": form, "key": key(name)}).text
            page = browser.get(unescape(_found(r'id="onward"[^>]*href="([^"]+)"', page))).text
            for _ in range(2):  # signs in, and agrees
                where = self.url + _found(r'action="(/interaction/[^"]+)"', page)
                page = browser.post(where, data={"login": f"{name}-there"}).text
            assert "Go back to your program" in page, page


@contextmanager
def office(node: str, home: Path, lasts: float) -> Iterator[Office]:
    """`lasts`: seconds of an access token."""
    port, other = free_port(), free_port()
    url, issuer = f"http://127.0.0.1:{port}/mcp", f"http://127.0.0.1:{other}"
    env = {"PORT": str(other), "RESOURCE": url, "LASTS": str(lasts)}
    authority = Program([node, str(AUTHORITY)], other, home / "authority.log", env)
    notes = Program([sys.executable, str(NOTES), str(port), issuer], port, home / "notes.log")
    with authority, notes:
        yield Office(authority, notes)


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    assert found is not None, text
    return found[1]
