"""Identity assertions (ID-JAG): the identity provider says that a client may act for somebody.

Enterprise-managed authorization of MCP, draft-ietf-oauth-identity-assertion-authz-grant.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from torhaus.identity.jose import TokenError, VerificationKey, announced, claimed, opened

TYPE = "oauth-id-jag+jwt"
SKEW = 60.0
LONGEST = 3600.0
"""Seconds an assertion may be good for."""
_MAX = 255
_ENCRYPTED = 4
"""Dots in the compact form of JWE (RFC 7516)."""


class Asserted(msgspec.Struct, frozen=True, kw_only=True):
    """`id`: comes once. `resource`: what the provider says it is for."""

    issuer: str
    subject: str
    id: str
    resource: str
    expires: float


class Awaited(msgspec.Struct, frozen=True, kw_only=True):
    """What must be true of it. `audience`: our issuer; `client_id`: who has proved himself."""

    issuer: str
    audience: str
    client_id: str
    algorithms: tuple[str, ...]
    now: float


def issuer(token: str) -> str:
    """Who it says made it, before anything is proved. Raises TokenError."""
    return _text(claimed(token), "iss")


def asserted(token: str, keys: Sequence[VerificationKey], awaited: Awaited) -> Asserted:
    """Raises TokenError, and UnknownKeyError where a newer set of keys may help."""
    found = opened(token, keys, awaited.algorithms)
    claims = found.claims
    if found.header.get("typ") != TYPE:
        raise TokenError("it is a token of another kind")
    if claims.get("iss") != awaited.issuer:
        raise TokenError("another issuer made it")
    if claims.get("aud") not in (awaited.audience, [awaited.audience]):
        raise TokenError("it is not for this gateway")
    if claims.get("client_id") != awaited.client_id:
        raise TokenError("it was given to another client")
    return Asserted(
        issuer=awaited.issuer,
        subject=_text(claims, "sub"),
        id=_text(claims, "jti"),
        resource=_text(claims, "resource", 2048),
        expires=_in_time(claims, awaited.now),
    )


class Given(msgspec.Struct, frozen=True, kw_only=True):
    """What must be true of one that was given to us, for another authorization server."""

    issuer: str
    audience: str
    resource: str
    client_id: str
    now: float


def fitting(token: str, given: Given) -> None:
    """Whether it is the one that was asked for: it must get nobody in elsewhere.

    Nothing is proved: it came from the provider itself over TLS, and whom it is for proves it. Of
    an encrypted one nothing is known. Raises TokenError.
    """
    if token.count(".") == _ENCRYPTED:
        return
    header, claims = announced(token)
    if header.get("typ") != TYPE:
        raise TokenError("it is a token of another kind")
    if claims.get("iss") != given.issuer:
        raise TokenError("another issuer made it")
    if claims.get("aud") not in (given.audience, [given.audience]):
        raise TokenError("it is for another authorization server")
    if claims.get("client_id") != given.client_id:
        raise TokenError("it was given to another client")
    if claims.get("resource", given.resource) not in (given.resource, [given.resource]):
        raise TokenError("it is for another server")
    _in_time(claims, given.now)


def _in_time(claims: Mapping[str, Any], now: float) -> float:
    made, ends = _number(claims, "iat"), _number(claims, "exp")
    if made > now + SKEW:
        raise TokenError("it is from the future")
    if ends <= now - SKEW:
        raise TokenError("it has expired")
    if ends - made > LONGEST:
        raise TokenError("it is good for longer than an hour")
    if "nbf" in claims and _number(claims, "nbf") > now + SKEW:
        raise TokenError("it is not valid yet")
    return ends


def _number(claims: Mapping[str, Any], name: str) -> float:
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError(f"it does not say {name}")
    return float(value)


def _text(claims: Mapping[str, Any], name: str, most: int = _MAX) -> str:
    value = claims.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= most:
        raise TokenError(f"it does not say {name}")
    return value
