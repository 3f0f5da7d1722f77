"""A server that takes tokens with proofs of possession only, checked with another library."""

import base64
import hashlib
import warnings
from dataclasses import dataclass, field
from typing import Any

from joserfc import jws, jwt
from joserfc.errors import SecurityWarning
from joserfc.jwk import JWKRegistry

from tests.torhaus.upstream.servers.http_server import Heard, Wire, head
from tests.torhaus.upstream.servers.mcp_server import McpServer
from torhaus.model.secret import Secret
from torhaus.upstream.oauth.dpop import Key, Prover

ALGORITHMS = ["ES256", "EdDSA", "Ed25519"]
NOW = 1000.0


def hashed(token: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()


def opened(proof: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a proof whose signature is that of the key in its header."""
    header = jws.extract_compact(proof.encode()).headers()
    key = JWKRegistry.import_key(header["jwk"])
    assert not key.is_private
    with warnings.catch_warnings(category=SecurityWarning, action="ignore"):
        token = jwt.decode(proof, key, algorithms=ALGORITHMS)  # EdDSA has a newer name
    return dict(token.header), dict(token.claims)


def thumbprint(header: dict[str, Any]) -> str:
    return str(JWKRegistry.import_key(header["jwk"]).thumbprint())


def prover(token: str = "token-1", key: Key | None = None) -> Prover:
    numbers = iter(range(1, 10_000))
    return Prover(key or Key.fresh(), token, lambda: NOW, lambda: f"id-{next(numbers)}")


def headers(token: str = "token-1") -> tuple[tuple[str, Secret], ...]:
    return (("Authorization", Secret(f"DPoP {token}")),)


@dataclass
class Bound(McpServer):
    """`nonces`: what it gives out in turn and wants next; the last one stays.

    `ids`: of the proofs it has seen, each good once. `wrong`: what it found amiss.
    """

    url: str = ""
    token: str = "token-1"
    nonces: list[str] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    refused: int = 0

    async def react(self, wire: Wire, heard: Heard) -> None:
        amiss = self.amiss(heard)
        if amiss is None:
            await super().react(wire, heard)
            return
        self.refused += 1
        lines = [f'www-authenticate: DPoP error="{amiss}"', "content-length: 0"]
        if self.nonces:
            lines.append(f"dpop-nonce: {self.nonces[0]}")
        wire.say(head("401 Unauthorized", *lines))

    def amiss(self, heard: Heard) -> str | None:
        if heard.headers.get("authorization") != f"DPoP {self.token}":
            return "invalid_token"
        _, claims = opened(heard.headers["dpop"])
        good = {"htm": heard.method, "htu": self.url, "iat": int(NOW), "ath": hashed(self.token)}
        nonce, id = claims.pop("nonce", None), claims.pop("jti")
        if claims != good or id in self.ids:
            self.wrong.append(f"{claims} is not {good}, or {id} came before")
            return "invalid_dpop_proof"
        self.ids.append(id)
        if self.nonces and nonce != self.nonces[0]:
            return "use_dpop_nonce"
        if len(self.nonces) > 1:
            self.nonces.pop(0)
        return None
