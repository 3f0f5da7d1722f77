"""What an ID token and a logout token have to say, and what is taken from them (OpenID Connect)."""

import hmac
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from hashlib import sha256, sha512
from typing import Any

import msgspec

from torhaus.identity.addresses import address
from torhaus.identity.jose import Opened, TokenError, VerificationKey, opened
from torhaus.model.signin import LoggedOut

SKEW = 60.0
LOGOUT = "http://schemas.openid.net/event/backchannel-logout"
MAX_LOGOUT_AGE = 600.0
MAX_GROUPS = 1000
_MAX_SUBJECT = 255
_GOOGLE = ("https://accounts.google.com", "accounts.google.com")
_GMAIL = ("@gmail.com", "@googlemail.com")
_HASHES = {"Ed25519": sha512}
# Tokens of other kinds, with the same issuer, keys and audience, are none of these.
_ID_TYPES = ("jwt", "application/jwt")
_LOGOUT_TYPES = ("logout+jwt", "application/logout+jwt", *_ID_TYPES)


class Expected(msgspec.Struct, frozen=True, kw_only=True):
    """What holds for every token of one provider. `now`: Unix seconds."""

    issuer: str
    client_id: str
    algorithms: tuple[str, ...]
    keys: tuple[VerificationKey, ...]
    now: float


def id_token(
    token: str, expected: Expected, nonce: str, access_token: str | None = None
) -> Mapping[str, Any]:
    """The claims of an ID token that is for us, now, and for this sign-in. Raises TokenError."""
    found = opened(token, expected.keys, expected.algorithms)
    claims = found.claims
    _typed(found, _ID_TYPES)
    _ours(claims, expected)
    _in_time(claims, expected.now)
    if "exp" not in claims:
        raise TokenError("it never expires")
    _subject(claims)
    said = claims.get("nonce")
    if not isinstance(said, str) or not _same(said, nonce):
        raise TokenError("it belongs to another sign-in")
    if "at_hash" in claims:
        _access_token(found, access_token)
    return claims


def logout_token(token: str, expected: Expected) -> LoggedOut:
    """Whom a back-channel logout token means. The caller sees to it that its id comes once.

    Raises TokenError. See OpenID Connect Back-Channel Logout 1.0, section 2.6.
    """
    found = opened(token, expected.keys, expected.algorithms)
    claims = found.claims
    _typed(found, _LOGOUT_TYPES)
    _ours(claims, expected)
    _in_time(claims, expected.now)
    if claims["iat"] < expected.now - MAX_LOGOUT_AGE:
        raise TokenError("it is too old")
    events = claims.get("events")
    if not isinstance(events, dict) or not isinstance(events.get(LOGOUT), dict):
        raise TokenError("it announces no logout")
    if "nonce" in claims:
        raise TokenError("it is an ID token, not a logout token")
    subject, session, id_ = (_text(claims, name) for name in ("sub", "sid", "jti"))
    if subject is None and session is None:
        raise TokenError("it says nobody is signed out")
    if id_ is None:
        raise TokenError("it has no id")
    return LoggedOut(
        issuer=expected.issuer,
        subject=subject,
        session=session,
        id=id_,
        expires=claims["iat"] + MAX_LOGOUT_AGE + 2 * SKEW,
    )


def email(
    claims: Mapping[str, Any], name: str, *, assume_verified: bool, issuer: str = ""
) -> str | None:
    """The address the provider vouches for, in the form we compare, or None."""
    verified = claims.get("email_verified")
    # Some providers, such as Amazon Cognito, say it as text.
    vouched = verified is True or verified == "true"
    denied = verified is not None and not vouched
    if denied or not (vouched or assume_verified):
        return None
    found = address(claims.get(name))
    return found if _speaks_for(issuer, claims, found or "") else None


def _speaks_for(issuer: str, claims: Mapping[str, Any], found: str) -> bool:
    """Whether the provider knows whose the address is today.

    At Google anybody may use an address of elsewhere that was his once: it speaks for its own and
    for organisations it hosts (https://developers.google.com/identity/gsi/web/guides/verify-google-id-token).
    """
    if issuer not in _GOOGLE:
        return True
    return found.endswith(_GMAIL) or bool(claims.get("hd"))


def proved(claims: Mapping[str, Any], now: float) -> float | None:
    """When he last proved to the provider who he is, not after now; None where it does not say."""
    said = claims.get("auth_time")
    if isinstance(said, bool) or not isinstance(said, int | float) or said > now + SKEW:
        return None
    return min(float(said), now)


def groups(claims: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """The groups under a claim's name, or a path such as realm_access.roles; None without it."""
    found: Any = claims.get(name)
    if found is None and "." in name:
        found = claims
        for part in name.split("."):
            found = found.get(part) if isinstance(found, Mapping) else None
    if isinstance(found, str):
        found = [found]
    if not isinstance(found, list):
        return None
    named = dict.fromkeys(each for each in found if isinstance(each, str) and len(each) <= 1024)
    return tuple(named)[:MAX_GROUPS]


def name(claims: Mapping[str, Any]) -> str:
    """What people call somebody, for people only."""
    for key in ("name", "preferred_username"):
        said = claims.get(key)
        if isinstance(said, str) and said.strip():
            return "".join(each for each in said if each.isprintable()).strip()[:200]
    return ""


def _typed(found: Opened, types: Sequence[str]) -> None:
    kind = found.header.get("typ", "JWT")
    if not isinstance(kind, str) or kind.lower() not in types:
        raise TokenError("it is a token of another kind")


def _ours(claims: Mapping[str, Any], expected: Expected) -> None:
    if claims.get("iss") != expected.issuer:
        raise TokenError("another issuer made it")
    said = claims.get("aud")
    audience = [said] if isinstance(said, str) else said
    if not isinstance(audience, list) or expected.client_id not in audience:
        raise TokenError("it is not for this gateway")
    party = claims.get("azp")
    if party is None and len(audience) > 1:
        raise TokenError("it is for several and does not say who asked for it")
    if party is not None and party != expected.client_id:
        raise TokenError("another client asked for it")


def _in_time(claims: Mapping[str, Any], now: float) -> None:
    issued = _number(claims, "iat")
    if issued is None:
        raise TokenError("it does not say when it was made")
    if issued > now + SKEW:
        raise TokenError("it is from the future")
    begins = _number(claims, "nbf")
    if begins is not None and begins > now + SKEW:
        raise TokenError("it is not valid yet")
    ends = _number(claims, "exp")
    if ends is not None and ends <= now - SKEW:
        raise TokenError("it has expired")


def _subject(claims: Mapping[str, Any]) -> None:
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _MAX_SUBJECT:
        raise TokenError("it names nobody")


def _access_token(found: Opened, access_token: str | None) -> None:
    said = found.claims["at_hash"]
    if access_token is None or not isinstance(said, str):
        raise TokenError("it belongs to another access token")
    whole = _HASHES.get(found.alg, sha256)(access_token.encode()).digest()
    half = urlsafe_b64encode(whole[: len(whole) // 2]).rstrip(b"=").decode()
    if not _same(half, said):
        raise TokenError("it belongs to another access token")


def _number(claims: Mapping[str, Any], name: str) -> float | None:
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TokenError("its times are no numbers")
    return float(value)


def _text(claims: Mapping[str, Any], name: str) -> str | None:
    value = claims.get(name)
    if value is None:
        return None
    if not isinstance(value, str) or not 0 < len(value) <= _MAX_SUBJECT:
        raise TokenError("it names nobody")
    return value


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(), other.encode())
