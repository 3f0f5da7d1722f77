"""Signed JSON of an identity provider (RFC 7515, 7519): whose key, and what it says."""

from base64 import urlsafe_b64decode
from binascii import Error as Base64Error
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import JWSRegistry

MAX_TOKEN = 65536
MAX_KEYS = 100
_WEAK = 2048
# The name that RFC 9864 gives to what most still call EdDSA.
_NAMES = {"EdDSA": "Ed25519"}
_KINDS = {"RS256": "RSA", "PS256": "RSA", "ES256": "EC", "Ed25519": "OKP"}


class TokenError(Exception):
    """The token proves nothing. The text names no value of it."""


class UnknownKeyError(TokenError):
    """No key of the set is meant: a newer set may have it."""


class VerificationKey(msgspec.Struct, frozen=True):
    """A public key that may sign. `alg`: the only algorithm it is for, None for any that fits."""

    kid: str | None
    kind: str
    alg: str | None
    key: Key


class Opened(msgspec.Struct, frozen=True):
    """A token whose signature is right. What it says is not checked yet."""

    header: Mapping[str, Any]
    claims: Mapping[str, Any]
    alg: str


def verification_keys(document: object) -> tuple[VerificationKey, ...]:
    """The keys of a set that may sign; those we do not understand are left out (RFC 7517, 5)."""
    listed = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(listed, list):
        return ()
    found = (_key(each) for each in listed[:MAX_KEYS])
    return tuple(key for key in found if key is not None)


def opened(token: str, keys: Sequence[VerificationKey], algorithms: Sequence[str]) -> Opened:
    """Raises TokenError, and UnknownKeyError where no key of the set is meant."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        raise TokenError("it is no signed token")
    header, claims = _object(parts[0]), _object(parts[1])
    alg = header.get("alg")
    if not isinstance(alg, str) or alg not in algorithms:
        raise TokenError("its algorithm is not one of those agreed on")
    if "crit" in header:
        raise TokenError("it has a header that must be understood and is not")
    name = _NAMES.get(alg, alg)
    meant = [each for each in _meant(header, keys) if _fits(each, name)]
    if not meant:
        raise UnknownKeyError("its key is not in the provider's set")
    signature = _octets(parts[2])
    said = f"{parts[0]}.{parts[1]}".encode()
    if not any(_signed(name, said, signature, each) for each in meant):
        raise TokenError("its signature is wrong")
    return Opened(header, claims, name)


def claimed(token: str) -> Mapping[str, Any]:
    """What a token says, with nothing proved: only to find out whose keys to ask for.

    Raises TokenError.
    """
    return announced(token)[1]


def announced(token: str) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, with nothing proved. Raises TokenError."""
    parts = token.split(".")
    if len(token) > MAX_TOKEN or len(parts) != 3:
        raise TokenError("it is no signed token")
    return _object(parts[0]), _object(parts[1])


def _key(value: object) -> VerificationKey | None:
    if not isinstance(value, dict) or value.get("use", "sig") != "sig":
        return None
    kid, kind, alg = value.get("kid"), value.get("kty"), value.get("alg")
    if kind not in _KINDS.values() or "d" in value:
        return None
    if not isinstance(kid, str | None) or not isinstance(alg, str | None):
        return None
    # What stands beside the key (x5c, key_ops, ...) is not needed, and may be malformed.
    bare = {name: value[name] for name in ("kty", "n", "e", "crv", "x", "y") if name in value}
    try:
        if kind == "RSA" and int.from_bytes(_octets(bare["n"])).bit_length() < _WEAK:
            return None
        key = JWKRegistry.import_key(bare)
    except (JoseError, TokenError, ValueError, TypeError, AttributeError, KeyError):
        return None
    return VerificationKey(kid, str(kind), _NAMES.get(alg, alg) if alg else None, key)


def _meant(header: Mapping[str, Any], keys: Sequence[VerificationKey]) -> Sequence[VerificationKey]:
    kid = header.get("kid")
    if kid is None:
        return keys
    return [each for each in keys if each.kid == kid]


def _fits(key: VerificationKey, alg: str) -> bool:
    return key.kind == _KINDS.get(alg) and key.alg in (None, alg)


def _signed(alg: str, said: bytes, signature: bytes, key: VerificationKey) -> bool:
    algorithm = JWSRegistry.algorithms[alg]
    try:
        algorithm.check_key(key.key)
        return algorithm.verify(said, signature, key.key)
    except (JoseError, ValueError):
        return False


def _octets(text: str) -> bytes:
    """base64url without padding, and nothing else (RFC 7515, section 2)."""
    if not text.isascii() or not text.replace("-", "").replace("_", "").isalnum():
        raise TokenError("it is no signed token")
    try:
        return urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except Base64Error as error:
        raise TokenError("it is no signed token") from error


def _object(text: str) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(_octets(text))
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise TokenError("it is no signed token") from error
    if not isinstance(found, dict):
        raise TokenError("it is no signed token")
    return found
