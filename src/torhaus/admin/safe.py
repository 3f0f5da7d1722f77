"""Seals what is secret in a row of the vault, and opens it."""

from collections.abc import Callable

import msgspec

from torhaus.identity.sealing import CHANCE, NONCE, KeyRing, SealedError, row
from torhaus.model.desk import Desk
from torhaus.model.ports import StateError
from torhaus.model.vault import Content, Kept

__all__ = ["Safe", "SealedError"]

_encode = msgspec.json.encode
_decode = msgspec.json.Decoder(Content).decode


class Safe:
    """`ring(id)`: the key ring, with the key `id` if there is one. `random(n)`: n random octets."""

    def __init__(
        self, ring: Callable[[str | None], KeyRing], random: Callable[[int], bytes]
    ) -> None:
        self._ring = ring
        self._random = random

    async def key(self, desk: Desk, now: float) -> str:
        """Id of the key that seals until this transaction ends, on all gateways.

        The first thing to ask of a desk: it waits for others who change credentials. Raises
        StateError where this gateway does not have it: another key would be one that the others
        do not have.
        """
        found = await desk.rings.take(self._of(None).first, now)
        if found.key not in self._of(found.key).ids:
            raise StateError(
                f"the key {found.key}, which seals credentials, is not in this gateway's key ring: "
                "give all gateways the same keys, or run torhaus secrets rekey if it is lost"
            )
        return found.key

    def sealed(self, kept: Kept, content: Content, key: str) -> Kept:
        """The row with this content. `key`: from `key`, in the transaction that keeps the row."""
        ring = self._of(key)
        sealed = ring.seal(key, _encode(content), _bound(kept), self._random(CHANCE))
        return msgspec.structs.replace(kept, key_id=key, sealed=sealed)

    def opened(self, kept: Kept) -> Content:
        """Raises SealedError."""
        try:
            ring = self._of(kept.key_id)
        except StateError as error:
            raise SealedError(str(error)) from error
        try:
            return _decode(ring.open(kept.key_id, kept.sealed, _bound(kept)))
        except msgspec.MsgspecError:
            raise SealedError("it holds no credential: store it again") from None

    def rewrapped(self, kept: Kept, key: str) -> bytes:
        """The same secret under another key. Raises SealedError; StateError, see `key`."""
        ring, nonce = self._of(kept.key_id), self._random(NONCE)
        return ring.rewrap(kept.key_id, kept.sealed, _bound(kept), nonce, key)

    def _of(self, id: str | None) -> KeyRing:
        try:
            return self._ring(id)
        except (OSError, ValueError) as error:
            raise StateError(f"the key ring cannot be read: {_said(error)}") from error


def _said(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)


def _bound(kept: Kept) -> bytes:
    """Rows cannot change places, persons, kinds or versions."""
    return row("vault", kept.id, kept.server, kept.email, kept.kind.value, str(kept.version))
