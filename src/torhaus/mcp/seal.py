"""Sealed tokens: what a client must bring back, unreadable and bound to who may bring it.

AES-256-GCM with a random 96-bit nonce (NIST SP 800-38D: up to 2^32 tokens under one key). What a
token is bound to is authenticated but not stored in it, so a token shown by another principal, or
at another server, does not open.
"""

import base64
import binascii
from collections.abc import Callable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
EXPIRY = 5


class SealError(ValueError):
    """The token is not ours, was changed, has expired, or belongs to somebody else."""


class Sealer:
    """Seals under one key, derived once from `secret`. `random(n)` returns n random bytes."""

    __slots__ = ("_aead", "_random")

    def __init__(self, secret: bytes, random: Callable[[int], bytes]) -> None:
        if len(secret) < 32:
            raise ValueError("the sealing secret must have at least 32 bytes")
        derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"torhaus seal v1")
        self._aead = AESGCM(derive.derive(secret))
        self._random = random

    def seal(self, content: bytes, bound_to: bytes, expires: float) -> str:
        """`expires`: Unix seconds. The token is URL-safe base64, so visible ASCII."""
        nonce = self._random(NONCE)
        plain = int(expires).to_bytes(EXPIRY, "big") + content
        return base64.urlsafe_b64encode(nonce + self._aead.encrypt(nonce, plain, bound_to)).decode()

    def unseal(self, token: str, bound_to: bytes, now: float) -> bytes:
        """The content. Raises SealError."""
        try:
            raw = base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True)
            if base64.urlsafe_b64encode(raw).decode() != token:
                raise SealError("not a valid token")  # a second spelling of the same bytes
            plain = self._aead.decrypt(raw[:NONCE], raw[NONCE:], bound_to)
        except (InvalidTag, binascii.Error, ValueError) as error:
            raise SealError("not a valid token") from error
        if int.from_bytes(plain[:EXPIRY], "big") <= now:
            raise SealError("the token has expired")
        return plain[EXPIRY:]


def binding(*parts: str) -> bytes:
    """What a token is bound to, as unambiguous bytes."""
    return b"".join(b"%d:%b," % (len(raw := part.encode()), raw) for part in parts)
