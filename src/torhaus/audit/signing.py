"""Signed lines: a JSON text, whose key signed it, and the signature over exactly that text."""

import base64
import binascii
from hashlib import sha256

import msgspec
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from torhaus.model.evidence import Signed

ID = 32
"""Digits of a key's id: enough that nobody makes a second key with the same one."""

_decode = msgspec.json.Decoder(Signed).decode


class SignatureError(ValueError):
    """A line that is not what its key has signed. The message says in which way."""


def key_id(public: Ed25519PublicKey) -> str:
    return sha256(public.public_bytes_raw()).hexdigest()[:ID]


def digest(line: bytes) -> str:
    """Of a line with its break."""
    return sha256(line).hexdigest()


class AuditKey:
    """Signs. Its repr shows the id alone."""

    __slots__ = ("_private", "id")

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.id = key_id(private.public_key())

    def __repr__(self) -> str:
        return f"AuditKey({self.id})"

    def signed(self, text: bytes) -> bytes:
        """The line, with its break."""
        signature = base64.b64encode(self._private.sign(text)).decode()
        made = Signed(entry=msgspec.Raw(text), key=self.id, signature=signature)
        return msgspec.json.encode(made) + b"\n"

    def reveal(self) -> bytes:
        """Its octets, for whoever keeps them from being written down."""
        return self._private.private_bytes_raw()

    def public(self) -> Ed25519PublicKey:
        return self._private.public_key()


def opened(line: bytes) -> Signed:
    """The parts of a signed line (with its break). Looks at no signature.

    One text has one line: every other spelling of the same parts is refused, so that no octet
    of a line can be changed without notice. Raises SignatureError.
    """
    try:
        signed = _decode(line)
        canonical = msgspec.json.encode(signed) + b"\n"
        signature = base64.b64decode(signed.signature, validate=True)
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, RecursionError) as error:
        raise SignatureError("it is no signed line") from error
    if canonical != line or base64.b64encode(signature).decode() != signed.signature:
        raise SignatureError("it is not spelled as it was written")
    return signed


def verify(signed: Signed, public: Ed25519PublicKey) -> None:
    """Raises SignatureError."""
    try:
        public.verify(base64.b64decode(signed.signature), bytes(signed.entry))
    except InvalidSignature as error:
        raise SignatureError("its signature does not fit: it was changed, or forged") from error
