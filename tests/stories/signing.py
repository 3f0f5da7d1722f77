"""A client program that signs in: it registers, opens a browser, and asks for tokens."""

import http.client
import json
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.clients.browsing import Browser

WHO, PASSWORD = "bob@example.com", "correct horse battery staple"
VERIFIER = "v" * 64
CHALLENGE = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
BACK = "http://localhost:3118/callback"
FORM = "application/x-www-form-urlencoded"


@dataclass
class Program:
    """`browser`: the one it opens; it may be somebody else's."""

    port: int
    browser: Browser = field(default_factory=lambda: Browser(abroad=False))
    client_id: str = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def register(self, **told: Any) -> dict[str, Any]:
        body = {"client_name": "A program", "redirect_uris": [BACK], **told}
        status, found = self.send("/register", json.dumps(body), "application/json")
        assert status == 201, found
        self.client_id = found["client_id"]
        return found

    def request(self, server: str = "scripted", **changes: str) -> str:
        """The address that it opens in the browser."""
        told = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "s",
            "resource": f"{self.origin}/mcp/{server}" if server else f"{self.origin}/mcp",
            **changes,
        }
        return f"{self.origin}/authorize?{urlencode(told)}"

    def code(self, server: str = "scripted") -> str:
        page = self.browser.sign_in(self.request(server), WHO, PASSWORD)
        told = dict(parse_qsl(urlsplit(page.url).query))
        assert page.url.startswith(BACK), page.words
        assert told["iss"] == self.origin
        return told["code"]

    def exchange(self, code: str) -> tuple[int, dict[str, Any]]:
        return self.token(
            grant_type="authorization_code", code=code, redirect_uri=BACK, code_verifier=VERIFIER
        )

    def refresh(self, token: str) -> tuple[int, dict[str, Any]]:
        return self.token(grant_type="refresh_token", refresh_token=token)

    def token(self, **told: str) -> tuple[int, dict[str, Any]]:
        return self.form("/token", {"client_id": self.client_id, **told})

    def sign_in(self, server: str = "scripted") -> dict[str, Any]:
        """Everything, from a name to tokens."""
        self.register()
        status, found = self.exchange(self.code(server))
        assert status == 200, found
        return found

    def form(self, path: str, told: Mapping[str, str]) -> tuple[int, dict[str, Any]]:
        return self.send(path, urlencode(told), FORM)

    def send(self, path: str, body: str, kind: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("POST", path, body, {"content-type": kind})
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def get(self, path: str) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()
