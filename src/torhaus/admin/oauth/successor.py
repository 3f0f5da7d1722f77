"""The pair a refresh token was changed for, sealed under that token alone.

Who comes with the old token a moment later is given the same pair again. It rests sealed under a
key that only the token gives, so that neither the database nor this process can open it by itself.
"""

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12
_ABOUT = b"torhaus refresh successor v1"


class Successor(msgspec.Struct, frozen=True, kw_only=True):
    """`expires`: of the access token."""

    access: str
    refresh: str
    audience: str
    expires: float


def seal(token: str, pair: Successor, nonce: bytes) -> bytes:
    """`nonce`: 12 random bytes; each token seals once."""
    return nonce + _key(token).encrypt(nonce, msgspec.json.encode(pair), _ABOUT)


def unseal(token: str, sealed: bytes) -> Successor | None:
    """None when it was sealed under another token, or changed."""
    try:
        plain = _key(token).decrypt(sealed[:NONCE], sealed[NONCE:], _ABOUT)
    except (InvalidTag, ValueError):
        return None
    return msgspec.json.decode(plain, type=Successor)


def _key(token: str) -> AESGCM:
    # 256 random bits in, so one round of HKDF is enough.
    derive = HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=_ABOUT)
    return AESGCM(derive.derive(token.encode()))
