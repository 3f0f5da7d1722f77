"""An authorization server in memory, behind the port `Fetch`."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from torhaus.model.fetch import Fetched, FetchError
from torhaus.model.servers import Acting, OAuthAccess

SERVER = "https://mcp.example/mcp"
ISSUER = "https://as.example"
CALLBACK = "https://gw.example/connect/callback"
RESOURCE = {
    "resource": SERVER,
    "authorization_servers": [ISSUER],
    "scopes_supported": ["read", "write"],
}
METADATA = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "registration_endpoint": f"{ISSUER}/register",
    "code_challenge_methods_supported": ["S256"],
    "token_endpoint_auth_methods_supported": ["none", "client_secret_basic"],
    "authorization_response_iss_parameter_supported": True,
}
USER = OAuthAccess(mode=Acting.USER)


class Asked:
    def __init__(self, url: str, body: str, headers: Mapping[str, str], named: Sequence[str]):
        self.url = url
        self.headers = headers
        self.named = tuple(named)
        self.body = body

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body))


Handler = Callable[[Asked], Fetched]


def said(found: Any, status: int = 200) -> Fetched:
    return Fetched(status, {}, json.dumps(found).encode())


class Web:
    """A `Fetch`. `pages`: what is at an URL; others are 404. `down`: hosts that do not answer."""

    def __init__(self, **changes: Any) -> None:
        metadata = {**METADATA, **changes.pop("metadata", {})}
        metadata = {name: value for name, value in metadata.items() if value is not None}
        self.pages: dict[str, Any] = {
            "https://mcp.example/.well-known/oauth-protected-resource/mcp": RESOURCE,
            f"{ISSUER}/.well-known/oauth-authorization-server": metadata,
            f"{ISSUER}/token": self._token,
            f"{ISSUER}/register": lambda _: said({"client_id": "registered"}, 201),
            **changes,
        }
        self.asked: list[Asked] = []
        self.down: set[str] = set()
        self.granted = 0
        self.lasts: int | None = 3600

    def _token(self, asked: Asked) -> Fetched:
        self.granted += 1
        found: dict[str, Any] = {
            "access_token": f"access-token-{self.granted:016}",
            "token_type": "Bearer",
            "refresh_token": f"refresh-token-{self.granted:016}",
        }
        if self.lasts is not None:
            found["expires_in"] = self.lasts
        return said(found)

    def urls(self) -> list[str]:
        return [each.url for each in self.asked]

    async def get(
        self,
        url: str,
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        return self._answer(Asked(url, "", headers or {}, named))

    async def post(
        self,
        url: str,
        form: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        return self._answer(Asked(url, urlencode(form), headers or {}, named))

    async def send(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        named: Sequence[str] = (),
        limit: int = 65536,
    ) -> Fetched:
        return self._answer(Asked(url, body.decode(), headers or {}, named))

    def _answer(self, asked: Asked) -> Fetched:
        self.asked.append(asked)
        if urlsplit(asked.url).hostname in self.down:
            raise FetchError(f"{urlsplit(asked.url).hostname} cannot be reached")
        found = self.pages.get(asked.url)
        if found is None:
            return Fetched(404, {}, b"")
        if callable(found):
            answer = found(asked)
            assert isinstance(answer, Fetched)
            return answer
        return said(found)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now
