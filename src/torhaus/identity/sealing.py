"""Secrets at rest: each under a key of its own, which a key of the ring wraps. Pure.

AES-256-GCM twice (NIST SP 800-38D), both times bound to the row it stands in: a ciphertext that was
moved to another row does not open. Another ring key means to wrap the small key anew, not to
decrypt the secret.
"""

import hashlib
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY = 32
NONCE = 12
CHANCE = KEY + 2 * NONCE
"""Random octets that one secret needs."""
_TAG = 16
_HEAD = 1 + NONCE + KEY + _TAG
_FORM = b"\x01"
_WRAPPED = b"torhaus wrapped key v1"
_SECRET = b"torhaus secret v1"


class SealedError(ValueError):
    """It cannot be opened. The text is a sentence, and says nothing of what is in it."""


class KeyRing:
    """Keys of 32 octets, by their ids. Raises ValueError."""

    __slots__ = ("_keys", "first")

    def __init__(self, keys: Iterable[bytes]) -> None:
        every = tuple(keys)
        if not every or any(len(key) != KEY for key in every):
            raise ValueError(f"a key ring has at least one key, each of exactly {KEY} bytes")
        self._keys = {key_id(key): AESGCM(key) for key in every}
        self.first = key_id(every[0])

    @property
    def ids(self) -> tuple[str, ...]:
        return tuple(self._keys)

    def seal(self, id: str, plain: bytes, bound: bytes, chance: bytes) -> bytes:
        """What is kept, under the key `id`. `chance`: `CHANCE` random octets, used once.

        Raises SealedError where there is no such key.
        """
        if len(chance) != CHANCE:
            raise ValueError(f"a seal needs {CHANCE} random bytes")
        own, outer, inner = chance[:KEY], chance[KEY:-NONCE], chance[-NONCE:]
        wrapped = self._key(id).encrypt(outer, own, _WRAPPED + bound)
        held = AESGCM(own).encrypt(inner, plain, _SECRET + bound)
        return _FORM + outer + wrapped + inner + held

    def open(self, id: str, sealed: bytes, bound: bytes) -> bytes:
        """Raises SealedError."""
        own = self._own(id, sealed, bound)
        inner, held = sealed[_HEAD : _HEAD + NONCE], sealed[_HEAD + NONCE :]
        try:
            return AESGCM(own).decrypt(inner, held, _SECRET + bound)
        except (InvalidTag, ValueError) as error:
            raise SealedError(_CHANGED) from error

    def rewrap(self, id: str, sealed: bytes, bound: bytes, nonce: bytes, under: str) -> bytes:
        """The same secret under another key. `nonce`: random, used once. Raises SealedError."""
        own = self._own(id, sealed, bound)
        wrapped = self._key(under).encrypt(nonce, own, _WRAPPED + bound)
        return _FORM + nonce + wrapped + sealed[_HEAD:]

    def _key(self, id: str) -> AESGCM:
        key = self._keys.get(id)
        if key is None:
            raise SealedError(
                f"the key {id[:32]!r} is not in the key ring: add it to the ring again"
            )
        return key

    def _own(self, id: str, sealed: bytes, bound: bytes) -> bytes:
        key = self._key(id)
        if sealed[:1] != _FORM or len(sealed) < _HEAD + NONCE + _TAG:
            raise SealedError(_CHANGED)
        try:
            return key.decrypt(sealed[1 : 1 + NONCE], sealed[1 + NONCE : _HEAD], _WRAPPED + bound)
        except InvalidTag as error:
            raise SealedError(_CHANGED) from error


_CHANGED = "it was changed, or belongs to another row: store the credential again"


def key_id(key: bytes) -> str:
    """What a key is called: it follows from the key and gives nothing of it away."""
    return hashlib.sha256(b"torhaus key id v1" + key).hexdigest()[:12]


def row(table: str, *parts: str) -> bytes:
    """What a secret is bound to, as octets that no two rows share."""
    every = [each.encode() for each in (table, *parts)]
    return b"".join(b"%d:%b," % (len(each), each) for each in every)
