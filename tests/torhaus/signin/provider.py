"""An OpenID provider that says what a story wants, over real HTTP on loopback."""

import contextlib
import json
from base64 import b64decode, urlsafe_b64encode
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, unquote_plus, urlsplit

from tests.torhaus.identity.tokens import Signer, claims
from tests.torhaus.upstream.servers.http_server import Heard, HttpServer, Wire, http_server, whole

CALLBACK = "https://gateway.example.com/callback/company"


@dataclass
class Provider:
    """`claims`, `userinfo`, `metadata`, `token`: what differs from the usual."""

    server: HttpServer | None = None
    signer: Signer = field(default_factory=Signer)
    listed: list[dict[str, Any]] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    metadata: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    token: dict[str, Any] = field(default_factory=dict)
    status: int = 200
    codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def issuer(self) -> str:
        assert self.server is not None
        return f"http://127.0.0.1:{self.server.port}/realm"

    @property
    def heard(self) -> list[Heard]:
        assert self.server is not None
        return self.server.heard

    def asked(self, path: str) -> list[Heard]:
        return [each for each in self.heard if each.path == path]

    def agrees(self, url: str) -> dict[str, str]:
        """The person signs in: what the browser brings back."""
        query = dict(parse_qsl(urlsplit(url).query))
        code = f"code-{len(self.codes)}"
        self.codes[code] = query
        return {"code": code, "state": query["state"], "iss": self.issuer}

    async def serve(self, wire: Wire) -> None:
        while True:
            heard = await wire.request()
            status, said = self._answer(heard)
            wire.say(whole(json.dumps(said).encode(), f"{status} Said"))

    def _answer(self, heard: Heard) -> tuple[int, Any]:
        match heard.path:
            case "/realm/.well-known/openid-configuration":
                return self.status, self._metadata()
            case "/keys":
                keys = [self.signer.public()] if self.listed is None else self.listed
                return 200, {"keys": keys}
            case "/token":
                return self._token(dict(parse_qsl(heard.body.decode())))
            case "/userinfo":
                return (200, self.userinfo) if self.userinfo is not None else (404, {})
        return 404, {}

    def _metadata(self) -> dict[str, Any]:
        base = self.issuer.removesuffix("/realm")
        said = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{base}/auth?tenant=1",
            "token_endpoint": f"{base}/token",
            "jwks_uri": f"{base}/keys",
            "userinfo_endpoint": f"{base}/userinfo",
            "end_session_endpoint": f"{base}/out",
            **self.metadata,
        }
        return {key: value for key, value in said.items() if value is not None}

    def _token(self, form: dict[str, str]) -> tuple[int, Any]:
        query = self.codes.pop(form.get("code", ""), None)
        if query is None or query["redirect_uri"] != form["redirect_uri"]:
            return 400, {"error": "invalid_grant", "error_description": "secret words"}
        challenge = urlsafe_b64encode(sha256(form["code_verifier"].encode()).digest())
        if challenge.rstrip(b"=").decode() != query["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        said = claims(iss=self.issuer, nonce=query["nonce"], **self.claims)
        return 200, {"access_token": "at-1", "id_token": self.signer.sign(said), **self.token}


def basic(heard: Heard) -> tuple[str, str]:
    kind, _, value = heard.headers["authorization"].partition(" ")
    assert kind == "Basic"
    name, _, word = b64decode(value).decode().partition(":")
    return unquote_plus(name), unquote_plus(word)


@contextlib.asynccontextmanager
async def provider(**more: Any) -> AsyncIterator[Provider]:
    found = Provider(**more)

    async def script(wire: Wire) -> None:
        await found.serve(wire)

    async with http_server(script) as server:
        found.server = server
        yield found
