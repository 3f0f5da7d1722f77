"""Proofs of possession (DPoP, RFC 9449): a key for each grant, a signature for each request."""

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as Base64Error
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256

import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePrivateKey,
    derive_private_key,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from torhaus.model.ports import UpstreamError

ALGORITHMS = ("ES256", "EdDSA", "Ed25519")
"""What we sign with, the usual one first. The last two are one thing (RFC 9864)."""
NONCE = b"use_dpop_nonce"
"""The error of a server that wants its nonce in the proof."""
_NONCE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]{1,1024}")
_SERVERS = 256


class Key:
    """A private key. `text`: what is sealed. `thumbprint`: of the public half (RFC 7638)."""

    __slots__ = ("_head", "_private", "algorithm", "text", "thumbprint")

    def __init__(
        self, algorithm: str, private: EllipticCurvePrivateKey | Ed25519PrivateKey
    ) -> None:
        self.algorithm = algorithm
        self._private = private
        jwk, secret = _parts(private)
        self.text = f"{algorithm}.{_encoded(secret)}"
        # Members in this order and nothing else: RFC 7638 section 3.
        self.thumbprint = _encoded(sha256(msgspec.json.encode(jwk)).digest())
        head = {"typ": "dpop+jwt", "alg": algorithm, "jwk": jwk}
        self._head = _encoded(msgspec.json.encode(head))

    def __repr__(self) -> str:
        return f"Key({self.thumbprint!r})"

    @classmethod
    def fresh(cls, algorithm: str = ALGORITHMS[0]) -> "Key":
        if algorithm == "ES256":
            return cls(algorithm, generate_private_key(SECP256R1()))
        return cls(algorithm, Ed25519PrivateKey.generate())

    @classmethod
    def read(cls, text: str) -> "Key":
        """What `text` was. Raises ValueError."""
        algorithm, _, secret = text.partition(".")
        if algorithm not in ALGORITHMS:
            raise ValueError("this is no key of ours")
        try:
            number = urlsafe_b64decode(secret + "=" * (-len(secret) % 4))
        except Base64Error as error:
            raise ValueError("this is no key of ours") from error
        if len(number) != 32:
            raise ValueError("this is no key of ours")
        if algorithm == "ES256":
            return cls(algorithm, derive_private_key(int.from_bytes(number), SECP256R1()))
        return cls(algorithm, Ed25519PrivateKey.from_private_bytes(number))

    def proof(
        self, method: str, url: str, at: float, id: str, *, nonce: str = "", token_hash: str = ""
    ) -> str:
        """A JWT for one request and no other (RFC 9449 section 4.2). `url`: also with a query.

        `token_hash`: of the access token that goes along; `nonce`: the server's newest.
        """
        claims = {"jti": id, "htm": method, "htu": url.partition("?")[0], "iat": int(at)}
        if token_hash:
            claims["ath"] = token_hash
        if nonce:
            claims["nonce"] = nonce
        said = f"{self._head}.{_encoded(msgspec.json.encode(claims))}"
        return f"{said}.{_encoded(self._signed(said.encode()))}"

    def _signed(self, said: bytes) -> bytes:
        private = self._private
        if isinstance(private, Ed25519PrivateKey):
            return private.sign(said)
        first, second = decode_dss_signature(private.sign(said, ECDSA(SHA256())))
        return first.to_bytes(32) + second.to_bytes(32)


class Prover:
    """The port `torhaus.model.servers.Prover`: proofs for one access token at one server.

    `clock`: Unix seconds. `ids`: fresh ids. `former`: of the token before, whose nonce goes on.
    """

    __slots__ = ("_clock", "_hash", "_ids", "_key", "nonce")

    nonce: str

    def __init__(
        self,
        key: Key,
        token: str,
        clock: Callable[[], float],
        ids: Callable[[], str],
        former: "Prover | None" = None,
    ) -> None:
        self._key = key
        self._hash = _encoded(sha256(token.encode()).digest())
        self._clock = clock
        self._ids = ids
        self.nonce = "" if former is None else former.nonce

    def line(self, method: str, url: str) -> bytes:
        proof = self._key.proof(
            method, url, self._clock(), self._ids(), nonce=self.nonce, token_hash=self._hash
        )
        return f"dpop: {proof}\r\n".encode("ascii")

    def wanted(self, status: int, headers: Mapping[bytes, bytes]) -> bool:
        given = headers.get(b"dpop-nonce")
        nonce = "" if given is None else usable(given.decode("latin-1"))
        if not nonce:
            return False  # so another try would end as this one did
        self.nonce = nonce
        return status == 401 and NONCE in headers.get(b"www-authenticate", b"")


class Nonces:
    """The newest nonce of each token endpoint; in front of a server they are others."""

    def __init__(self) -> None:
        self._known: OrderedDict[str, str] = OrderedDict()

    def of(self, url: str) -> str:
        return self._known.get(url, "")

    def heard(self, url: str, nonce: str | None) -> bool:
        """Whether it is one."""
        found = usable(nonce or "")
        if found:
            self._known[url] = found
        if len(self._known) > _SERVERS:
            self._known.popitem(last=False)
        return bool(found)


def usable(nonce: str) -> str:
    """Empty for anything that is no nonce (RFC 9449 section 8.1)."""
    return nonce if _NONCE.fullmatch(nonce) else ""


def chosen(offered: Sequence[str], issuer: str) -> str:
    """What to sign with, of what an authorization server takes. Raises UpstreamError."""
    if not offered:
        return ALGORITHMS[0]  # it does not say, and nearly all take this
    found = next((each for each in ALGORITHMS if each in offered), None)
    if found is None:
        ours = " and ".join(ALGORITHMS[:2])
        raise UpstreamError(
            f"{issuer[:200]} takes none of the proofs that Torhaus can make (DPoP with {ours})"
        )
    return found


def _parts(
    private: EllipticCurvePrivateKey | Ed25519PrivateKey,
) -> tuple[dict[str, str], bytes]:
    """The public key as a JWK, and what is secret of the private one."""
    if isinstance(private, Ed25519PrivateKey):
        public = private.public_key().public_bytes_raw()
        return {"crv": "Ed25519", "kty": "OKP", "x": _encoded(public)}, private.private_bytes_raw()
    numbers = private.private_numbers()
    x, y = (
        _encoded(each.to_bytes(32)) for each in (numbers.public_numbers.x, numbers.public_numbers.y)
    )
    jwk = {"crv": "P-256", "kty": "EC", "x": x, "y": y}
    return jwk, numbers.private_value.to_bytes(32)


def _encoded(octets: bytes) -> str:
    return urlsafe_b64encode(octets).rstrip(b"=").decode()
