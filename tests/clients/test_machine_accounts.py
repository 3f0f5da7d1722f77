"""Torhaus's own account at a server, proved in each way to oidc-provider."""

import json
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from tests.clients import upstreams
from tests.clients.gateway import Gateway
from tests.clients.running import Program
from tests.clients.test_accounts import AUTHORITY, NOTES, text_of
from tests.clients.wire import Wire
from tests.ports import free_port

ALICE = "alice-machine-key-0123456789abcdef"
SECRET = "a-secret-that-both-of-them-know-0123456789"
LASTS = 33
"""Seconds of an access token: Torhaus gets another half a minute before."""


class Place:
    def __init__(self, home: Path, platform: ECKey, gateway: Gateway, issuer: str) -> None:
        self.home = home
        self.platform = platform
        self.gateway = gateway
        self.issuer = issuer

    def says(self, subject: str, **claims: Any) -> None:
        """The platform puts another JWT into the file."""
        (self.home / "token").write_text(word(self.platform, self.issuer, subject, **claims))

    def call(self, server: str) -> dict[str, Any]:
        wire = Wire(self.gateway.url(server), {"apikey": ALICE})
        wire.open()
        return wire.tool("list_notes", {})

    def who(self, server: str) -> str:
        """Who calls, as the server has heard it from the authorization server."""
        found = self.call(server)
        assert not found.get("isError"), found
        return text_of(found).partition(":")[0]


def word(platform: ECKey, issuer: str, subject: str, **claims: Any) -> str:
    now = int(time.time())
    said = {"iss": "https://cluster.example", "sub": subject, "aud": issuer, "iat": now}
    said |= {"exp": now + 600, **claims}
    return jwt.encode({"alg": "ES256", "kid": "p1"}, said, platform, algorithms=["ES256"])


def client(id: str, method: str, **more: Any) -> dict[str, Any]:
    known = {"client_id": id, "token_endpoint_auth_method": method, "redirect_uris": []}
    grants = ["client_credentials", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
    return {**known, "response_types": [], "grant_types": grants, **more}


def auth(**more: Any) -> dict[str, Any]:
    return {"type": "oauth", "mode": "client", **more}


@pytest.fixture(scope="module")
def place(node: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    if not (upstreams.MODULES / "oidc-provider").exists():
        pytest.skip("no oidc-provider here: `make pytest` installs it")
    home, port, other = tmp_path_factory.mktemp("machines"), free_port(), free_port()
    url, issuer = f"http://127.0.0.1:{port}/mcp", f"http://127.0.0.1:{other}"
    mine, platform = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
    (home / "mine.pem").write_bytes(mine.as_pem(private=True))
    (home / "token").write_text(word(platform, issuer, "first-pod"))
    public = {**mine.as_dict(private=False), "kid": "mine-2", "use": "sig"}
    older = {**ECKey.generate_key("P-256").as_dict(private=False), "kid": "mine-1", "use": "sig"}
    clients = [
        client("by-key", "private_key_jwt", jwks={"keys": [older, public]}),
        client("by-secret", "client_secret_jwt", client_secret=SECRET),
        client("by-platform", "none"),
    ]
    keys = {"keys": [{**platform.as_dict(private=False), "kid": "p1"}]}
    env = {"PORT": str(other), "RESOURCE": url, "LASTS": str(LASTS)}
    env |= {"CLIENTS": json.dumps(clients), "PLATFORM": json.dumps(keys)}
    authority = Program([node, str(AUTHORITY)], other, home / "authority.log", env)
    notes = Program([sys.executable, str(NOTES), str(port), issuer], port, home / "notes.log")
    show = f"exec:cat {shlex.quote(str(home / 'token'))}"
    pem = str(home / "mine.pem")
    by_key = auth(client_id="by-key", private_key_file=pem, key_id="mine-2")
    by_secret = auth(client_id="by-secret", client_secret=SECRET, client_auth="client_secret_jwt")
    ways = {
        "key": by_key,
        "endpoint": {**by_key, "assertion_audience": "token_endpoint"},
        "wrong": {**by_key, "key_id": "mine-1"},
        "secret": by_secret,
        "file": auth(client_id="by-platform", assertion=f"file:{home / 'token'}", issuer=issuer),
        "command": auth(client_id="by-platform", assertion=show, issuer=issuer),
    }
    servers = {name: {"url": url, "auth": way} for name, way in ways.items()}
    config = {
        "users": [{"email": "alice@example.com", "role": "all", "api_keys": [ALICE]}],
        "roles": {"all": {"permissions": ["*"]}},
        "egress": {"allow": ["loopback"]},
        "mcpServers": {**servers, "failing": servers["command"] | {"health": {"failures": "off"}}},
    }
    with authority, notes, Gateway(json.dumps(config), home / "gateway") as gateway:
        yield Place(home, platform, gateway, issuer)


@pytest.mark.parametrize("server", ["key", "endpoint"])
def test_a_key_proves_it_among_several(place: Place, server: str) -> None:
    assert place.who(server) == "by-key"


def test_another_keys_name_proves_nothing(place: Place) -> None:
    wire = Wire(place.gateway.url("wrong"), {"apikey": ALICE})

    with pytest.raises(RuntimeError, match="refused"):
        wire.open()


def test_a_secret_proves_it_without_being_sent(place: Place) -> None:
    assert place.who("secret") == "by-secret"


def test_a_workload_gets_in_with_the_platforms_word_and_with_a_newer_one(place: Place) -> None:
    place.says("first-pod")
    assert place.who("file") == "first-pod"
    place.says("second-pod")
    deadline = time.monotonic() + 60

    while place.who("file") == "first-pod":
        assert time.monotonic() < deadline
        time.sleep(0.3)
    assert place.who("file") == "second-pod"


def test_a_program_may_print_it(place: Place) -> None:
    place.says("printed-pod")

    assert place.who("command") == "printed-pod"


@pytest.mark.parametrize(
    ("claims", "words"),
    [
        ({"aud": "https://elsewhere.example"}, "invalid_grant"),
        ({"exp": 1000}, "ended"),
    ],
)
def test_what_is_wrong_with_it_is_told(place: Place, claims: dict[str, Any], words: str) -> None:
    place.says("nobody", **claims)

    wire = Wire(place.gateway.url("failing"), {"apikey": ALICE})
    with pytest.raises(RuntimeError, match=words):
        wire.open()


def test_no_word_and_no_secret_is_written_down(place: Place) -> None:
    word = (place.home / "token").read_text()
    written = [each.read_bytes() for each in place.gateway.home.rglob("*") if each.is_file()]
    kept = [each for each in written if b"mcpServers" not in each]  # the file itself

    assert httpx.get(f"http://127.0.0.1:{place.gateway.port}/health").status_code == 200
    assert not any(SECRET.encode() in each or word.encode() in each for each in kept)
