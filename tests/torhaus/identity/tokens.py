"""Tokens as an identity provider signs them, and as others forge them."""

import hmac
import json
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from torhaus.identity.jose import VerificationKey, verification_keys

NOW = 1_700_000_000.0
ISSUER = "https://idp.example/realm"
CLIENT = "torhaus"
NONCE = "a-nonce-of-this-sign-in"


def b64(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def number(value: int) -> str:
    return b64(value.to_bytes((value.bit_length() + 7) // 8))


def claims(**changed: Any) -> dict[str, Any]:
    """Those of a valid ID token for Alice; None leaves one out."""
    said = {
        "iss": ISSUER,
        "sub": "u-alice",
        "aud": CLIENT,
        "iat": NOW - 5,
        "exp": NOW + 300,
        "nonce": NONCE,
        "email": "alice@example.com",
        "email_verified": True,
        **changed,
    }
    return {key: value for key, value in said.items() if value is not None}


@dataclass
class Signer:
    """One key of a provider. `alg`: what it signs with."""

    alg: str = "ES256"
    kid: str | None = "k1"
    key: Any = field(default=None)

    def __post_init__(self) -> None:
        if self.key is None:
            self.key = _KEYS[self.alg]()

    def public(self, **more: Any) -> dict[str, Any]:
        """The key as a set lists it."""
        numbers = self.key.public_key()
        match numbers:
            case rsa.RSAPublicKey():
                of = numbers.public_numbers()
                said = {"kty": "RSA", "n": number(of.n), "e": number(of.e)}
            case ec.EllipticCurvePublicKey():
                of = numbers.public_numbers()
                x, y = (b64(each.to_bytes(32)) for each in (of.x, of.y))
                said = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
            case _:
                said = {"kty": "OKP", "crv": "Ed25519", "x": b64(numbers.public_bytes_raw())}
        return {**said, "kid": self.kid, "use": "sig", "alg": self.alg, **more}

    def keys(self) -> tuple[VerificationKey, ...]:
        return verification_keys({"keys": [self.public()]})

    def sign(self, said: dict[str, Any], **header: Any) -> str:
        head = {"typ": "JWT", "alg": self.alg, "kid": self.kid, **header}
        head = {key: value for key, value in head.items() if value is not None}
        text = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(said).encode())}"
        return f"{text}.{b64(self._signature(text.encode()))}"

    def _signature(self, text: bytes) -> bytes:
        match self.key:
            case rsa.RSAPrivateKey() if self.alg == "PS256":
                pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
                return self.key.sign(text, pss, hashes.SHA256())
            case rsa.RSAPrivateKey():
                return self.key.sign(text, padding.PKCS1v15(), hashes.SHA256())
            case ec.EllipticCurvePrivateKey():
                r, s = decode_dss_signature(self.key.sign(text, ec.ECDSA(hashes.SHA256())))
                return r.to_bytes(32) + s.to_bytes(32)
            case _:
                return self.key.sign(text)


_KEYS = {
    "RS256": lambda: rsa.generate_private_key(65537, 2048),
    "PS256": lambda: rsa.generate_private_key(65537, 2048),
    "ES256": lambda: ec.generate_private_key(ec.SECP256R1()),
    "Ed25519": ed25519.Ed25519PrivateKey.generate,
    "EdDSA": ed25519.Ed25519PrivateKey.generate,
}


def unsigned(said: dict[str, Any], alg: str = "none") -> str:
    head = json.dumps({"typ": "JWT", "alg": alg}).encode()
    return f"{b64(head)}.{b64(json.dumps(said).encode())}."


def hmac_with_public_key(said: dict[str, Any], signer: Signer) -> str:
    """HS256 with the public key as the shared secret, as libraries once took it."""
    pem = signer.key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    head = json.dumps({"typ": "JWT", "alg": "HS256", "kid": signer.kid}).encode()
    text = f"{b64(head)}.{b64(json.dumps(said).encode())}"
    return f"{text}.{b64(hmac.digest(pem, text.encode(), sha256))}"
