"""Where documents point to, over the real way out: nothing that nobody wrote down is reached."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.upstream.oauth.company import ALICE, PROVIDER, Company, identity, word
from tests.torhaus.upstream.pipes import run
from tests.torhaus.upstream.servers.http_server import HttpServer, Wire, http_server, whole
from torhaus.upstream.egress import Bounds, Egress
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.enterprise import Enterprise, Means
from torhaus.upstream.oauth.vouching import ID_JAG

ELSEWHERE = ("http://169.254.169.254/token", "http://10.0.0.7/token", "http://[::1]:9/token")


class Host:
    """Provider, authorization server and server in one, whose documents a story writes."""

    def __init__(self) -> None:
        self.documents: dict[str, Any] = {}

    async def script(self, wire: Wire) -> None:
        heard = await wire.request()
        found = self.documents.get(heard.path)
        status = "404 Not Found" if found is None else "200 OK"
        wire.say(whole(json.dumps(found or {}).encode(), status))


def place(host: Host, origin: str, **pointed: str) -> None:
    """Its documents; `pointed`: where they point to besides."""
    host.documents = {
        "/.well-known/openid-configuration": {
            "issuer": origin,
            "authorization_endpoint": f"{origin}/authorize",
            "token_endpoint": pointed.get("provider", f"{origin}/exchange"),
            "jwks_uri": f"{origin}/keys",
        },
        "/.well-known/oauth-protected-resource/mcp": {
            "resource": f"{origin}/mcp",
            "authorization_servers": [origin],
        },
        "/.well-known/oauth-authorization-server": {
            "issuer": origin,
            "token_endpoint": pointed.get("authority", f"{origin}/token"),
        },
        "/exchange": {
            "access_token": word(iss=origin, aud=origin, resource=f"{origin}/mcp"),
            "issued_token_type": ID_JAG,
            "token_type": "N_A",
        },
        "/token": {"access_token": "canary-token", "token_type": "Bearer", "expires_in": 60},
    }


def asked(**pointed: str) -> tuple[list[str], str]:
    """What the host was asked, and what the caller heard; empty where he got in."""
    seen: list[str] = []
    failed = [""]

    async def story(server: HttpServer, host: Host) -> None:
        origin = server.url.removesuffix("/mcp")
        place(host, origin, **pointed)
        town = Company(identity(issuer=origin), issuer=origin)
        provider = msgspec.structs.replace(PROVIDER, issuer=origin)
        out = Egress(bounds=Bounds(connect=1.0, total=2.0))
        means = Means(
            wallet=town.wallet,
            fetch=lambda: out,
            clock=town.clock,
            ids=lambda: "id",
            provider=lambda _: provider,
        )
        try:
            await Enterprise("web", server.url, town.oauth, means).present(ALICE)
        except OAuthError as error:
            failed.append(str(error))
        seen.extend(f"{each.method} {each.path}" for each in server.heard)

    async def play() -> None:
        host = Host()
        async with http_server(host.script) as server:
            await story(server, host)

    run(play())
    return seen, failed[-1]


def test_what_stands_in_the_file_is_reached() -> None:
    seen, failed = asked()

    assert seen[-2:] == ["POST /exchange", "POST /token"]
    assert failed == ""


@pytest.mark.parametrize("where", ELSEWHERE)
def test_a_providers_metadata_leads_nowhere_else(where: str) -> None:
    seen, failed = asked(provider=where)

    assert "POST /exchange" not in seen
    assert "not public" in failed or "https only" in failed


@pytest.mark.parametrize("where", ELSEWHERE)
def test_an_authorization_servers_metadata_leads_nowhere_else(where: str) -> None:
    seen, failed = asked(authority=where)

    assert seen[-1] == "POST /exchange"
    assert "not public" in failed or "https only" in failed
