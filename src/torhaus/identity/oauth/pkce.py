"""Proof key for code exchange, S256 alone (RFC 7636)."""

import hmac
import re
from base64 import urlsafe_b64encode
from hashlib import sha256

METHOD = "S256"
_CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")


def usable(challenge: str) -> bool:
    """Whether this can be the SHA-256 of a verifier."""
    return _CHALLENGE.fullmatch(challenge) is not None


def challenge(verifier: str) -> str:
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def proves(verifier: str, agreed: str) -> bool:
    """Whether who has this verifier is who began with this challenge."""
    if _VERIFIER.fullmatch(verifier) is None:
        return False
    return hmac.compare_digest(challenge(verifier).encode(), agreed.encode())
