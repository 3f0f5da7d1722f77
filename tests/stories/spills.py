"""Places where no secret belongs, and a way to put one into each of them."""

import http.client
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import quote, urlencode

from tests.stories.caller import Caller, legacy
from tests.stories.directory import TOKEN as SCIM
from tests.stories.town import KEYS, Town

FORM = {"content-type": "application/x-www-form-urlencoded"}
JSON = {"content-type": "application/json"}
ALICE = {"apikey": KEYS["ALICE_KEY"]}
HEADERS = (
    *("authorization", "apikey", "x-api-key", "cookie", "user-agent", "referer", "origin"),
    *("x-forwarded-for", "x-forwarded-host", "forwarded", "traceparent", "tracestate", "baggage"),
    *("mcp-session-id", "mcp-protocol-version", "mcp-method", "mcp-name", "mcp-param-owner"),
    *("last-event-id", "accept", "accept-language", "content-type", "host", "x-request-id"),
)
PATHS = (
    *("/{}", "/mcp/{}", "/mcp/scripted/{}", "/{}/mcp", "/invite/{}", "/reset/{}", "/setup/{}"),
    *("/login/{}", "/login?next={}", "/callback/{}", "/callback/x?code={}&state={}&error={}"),
    *("/saml/{}/metadata", "/approvals/{}", "/approvals/x?t={}", "/connect/{}?t={}"),
    *("/connect/callback?code={}&state={}&iss={}", "/mcp/scripted?token={}&key={}", "/static/{}"),
    *("/.well-known/oauth-protected-resource/mcp/{}", "/.well-known/{}", "/status?x={}"),
    *("/metrics?x={}", "/api/{}", "/api/v1/{}", "/api/v1/people/{}", "/scim/v2/Users/{}"),
    "/authorize?client_id={}&redirect_uri={}&state={}&scope={}&code_challenge={}&resource={}",
)
WITHIN = (
    *("people/{}", "people/{}/keys", "keys?person={}", "approvals/{}", "grants/{}", "tools/{}"),
    *("credentials?server={}", "costs?month={}", "audit/{}", "invitations/{}", "stops/{}"),
    *("access-requests?state={}", "cache/{}", "limits?x={}", "servers/{}"),
)
"""Of the API, for somebody who may."""
CHANGES = (
    ("POST", "approvals/{}/approve"),
    ("POST", "credentials/{}/rotate"),
    ("DELETE", "credentials/{}"),
    ("DELETE", "keys/{}"),
    ("DELETE", "sessions/{}"),
    ("POST", "people/{}/suspend"),
    ("POST", "stops/{}/lift"),
    ("DELETE", "invitations/{}"),
)


@dataclass(frozen=True)
class Told:
    """What somebody was answered. `what`: where he had put the secret."""

    value: str
    what: str
    status: int
    text: str


class Spiller:
    """Asks a gateway, and remembers what it says."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.told: list[Told] = []
        self._value = ""
        self._line = http.client.HTTPConnection("127.0.0.1", town.port, timeout=60)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._line.close()

    def everywhere(self, value: str, *, words: bool = False) -> None:
        """All but the form of signing in, where few tries are looked at.

        `words`: not where somebody who may names something. What he says is not there is recorded,
        and nobody can tell words from a name.
        """
        self._value, quoted = value, quote(value, safe="")
        for path in PATHS:
            self.ask("GET", path.replace("{}", quoted))
        for name in HEADERS:
            for path, more in (("/mcp/scripted", {}), ("/mcp/scripted", ALICE), ("/login", {})):
                self.ask("POST", path, {**JSON, **more, name: value}, json.dumps(legacy("ping")))
        for name in ("authorization", "apikey", "x-api-key"):
            for form in (f"Bearer {value}", f"Basic {value}", f"{value} x", f"Bearer {value}x"):
                self.ask("GET", "/api/v1/people", {name: form})
                self.ask("GET", "/scim/v2/Users", {name: form})
        self._programs(value)
        self._directories(value)
        if not words:
            self._administrators(value, quoted)
            self._callers(value)

    def _programs(self, value: str) -> None:
        """OAuth, of programs that mix things up."""
        fields = ("grant_type", "code", "client_id", "client_secret", "redirect_uri", "resource")
        fields += ("code_verifier", "refresh_token", "token", "assertion", "scope", "username")
        for path in ("/token", "/revoke"):
            self.form(path, dict.fromkeys(fields, value))
            for grant in ("authorization_code", "refresh_token", "client_credentials"):
                self.form(path, {**dict.fromkeys(fields, value), "grant_type": grant})
        for name in ("redirect_uris", "grant_types", "token_endpoint_auth_method", "jwks_uri"):
            body = {"redirect_uris": ["http://127.0.0.1/cb"], name: [value]}
            self.ask("POST", "/register", JSON, json.dumps(body))
        for path in ("/authorize", "/preferences", "/logout", "/me/keys", "/backchannel-logout/x"):
            self.form(path, {"token": value, "ticket": value, "next": value, "logout_token": value})

    def _administrators(self, value: str, quoted: str) -> None:
        for path in WITHIN:
            self.ask("GET", f"/api/v1/{path.replace('{}', quoted)}", ALICE)
        for method, path in CHANGES:
            body = json.dumps({"secret": "x" * 20} if "credentials" in path else {})
            self.ask(method, f"/api/v1/{path.replace('{}', quoted)}", {**ALICE, **JSON}, body)
        for path in ("people", "keys", "invitations", "access-requests", "grants", "stops"):
            body = json.dumps({"email": value, "person": value, "role": value, "kind": value})
            self.ask("POST", f"/api/v1/{path}", {**ALICE, **JSON}, body)
            self.ask("POST", f"/api/v1/{path}", {**ALICE, **JSON}, value)
        self.ask("POST", "/api/v1/invitations", {**ALICE, **JSON}, _invited(value))
        self.ask("DELETE", f"/cache/{quoted}/{quoted}", ALICE)

    def _directories(self, value: str) -> None:
        head = {"authorization": f"Bearer {SCIM}", "content-type": "application/scim+json"}
        for test in (f'userName eq "{value}"', f"{value} pr", value):
            self.ask("GET", f"/scim/v2/Users?{urlencode({'filter': test})}", head)
        self.ask("GET", f"/scim/v2/Groups?sortBy={quote(value)}&attributes={quote(value)}", head)
        self.ask("POST", "/scim/v2/Users", head, json.dumps({"schemas": [value], "userName": 1}))
        self.ask("PATCH", f"/scim/v2/Users/{quote(value, safe='')}", head, json.dumps({"x": value}))

    def _callers(self, value: str) -> None:
        """MCP, of somebody who is known: everything but arguments, which records may hold."""
        messages: Iterator[Mapping[str, Any]] = iter(
            [
                {"method": value},
                {"method": "tools/call", "params": {"name": value}},
                {"method": "tools/call", "params": {"name": value, "arguments": {}}},
                {"method": f"notifications/{value}"},
                {"method": "logging/setLevel", "params": {"level": value}},
                {"method": "tools/list", "params": {"cursor": value}},
                {"method": "tasks/get", "params": {"taskId": value}},
                {"method": "ping", "id": value},
                {"jsonrpc": value, "method": "ping"},
                {"method": "ping", value: value},
            ]
        )
        for message in messages:
            body = json.dumps({"jsonrpc": "2.0", "id": 1, **message})
            self.ask("POST", "/mcp/scripted", {**ALICE, **JSON}, body)
        for body in (value, f'{{"jsonrpc":"2.0","id":1,"method":"{value}', f"[{value}]"):
            self.ask("POST", "/mcp/scripted", {**ALICE, **JSON}, body)
        with Caller(self.town.port, KEYS["ALICE_KEY"]) as modern:
            for answer in (modern.tool(value), modern.tool(value, {}, {"mcp-name": "other"})):
                told = answer.body.decode("utf-8", "replace")
                self.told.append(Told(value, "a tool of 2026", answer.status, told))

    def form(self, path: str, told: Mapping[str, str]) -> None:
        self.ask("POST", path, FORM, urlencode(told))

    def ask(
        self,
        method: str,
        path: str,
        headers: Mapping[str, str] | None = None,
        body: str | bytes | None = None,
    ) -> None:
        self._line.request(method, path, body, dict(headers or {}))
        answer = self._line.getresponse()
        text = answer.read().decode("utf-8", "replace")
        self.told.append(Told(self._value, f"{method} {path}", answer.status, text))


def _invited(value: str) -> str:
    return json.dumps({"email": f"{value}@", "roles": [value], "servers": [value]})
