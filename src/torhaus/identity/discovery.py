"""The metadata of an OpenID Connect provider (OpenID Connect Discovery 1.0)."""

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

_METHODS = {
    "client_secret_basic": "basic",
    "client_secret_post": "post",
    "none": "none",
}
OFFLINE = "offline_access"
_LOOPBACK = ("localhost", "127.0.0.1", "::1")


class MetadataError(Exception):
    """The document is not this provider's metadata. The text says what is wrong with it."""


class OidcMetadata(msgspec.Struct, frozen=True, kw_only=True):
    """`methods`: how a client may prove itself, in our words. `says_issuer`: RFC 9207.

    `offline`: it lets clients ask for refresh tokens.
    """

    issuer: str
    authorization: str
    token: str
    keys: str
    userinfo: str | None = None
    end_session: str | None = None
    methods: tuple[str, ...] = ("basic",)
    says_issuer: bool = False
    offline: bool = False


def location(issuer: str) -> str:
    return issuer.removesuffix("/") + "/.well-known/openid-configuration"


def metadata(body: bytes, issuer: str) -> OidcMetadata:
    """Raises MetadataError, above all when it is another issuer's (mix-up)."""
    try:
        said = msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise MetadataError("its metadata is not JSON") from error
    if not isinstance(said, dict):
        raise MetadataError("its metadata is not a JSON object")
    if said.get("issuer") != issuer:
        raise MetadataError("its metadata is another issuer's: write the issuer as it does")
    return OidcMetadata(
        issuer=issuer,
        authorization=_safe(_needed(said, "authorization_endpoint")),
        token=_needed(said, "token_endpoint"),
        keys=_needed(said, "jwks_uri"),
        userinfo=_url(said, "userinfo_endpoint"),
        end_session=_url(said, "end_session_endpoint"),
        methods=_methods(said),
        says_issuer=said.get("authorization_response_iss_parameter_supported") is True,
        offline=_offline(said),
    )


def _offline(said: Mapping[str, Any]) -> bool:
    listed = said.get("scopes_supported")
    return isinstance(listed, list) and OFFLINE in listed


def _methods(said: Mapping[str, Any]) -> tuple[str, ...]:
    listed = said.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
    if not isinstance(listed, list):
        raise MetadataError("its metadata has no list of client authentication methods")
    known = (_METHODS.get(each) for each in listed if isinstance(each, str))
    return tuple(each for each in known if each is not None)


def _needed(said: Mapping[str, Any], name: str) -> str:
    found = _url(said, name)
    if found is None:
        raise MetadataError(f"its metadata has no {name}")
    return found


def _safe(url: str) -> str:
    """Where the browser goes: what it brings there and back must not be read on the way."""
    parts = urlsplit(url)
    if parts.scheme == "https" or parts.hostname in _LOOPBACK:
        return url
    raise MetadataError("its authorization_endpoint is not https")


def _url(said: Mapping[str, Any], name: str) -> str | None:
    """Who may be reached at all is the fetching's business; this is about what a URL is."""
    value = said.get(name)
    if value is None:
        return None
    wrong = MetadataError(f"its {name} is no http(s) URL")
    if not isinstance(value, str) or not value.isascii() or not value.isprintable():
        raise wrong
    try:
        parts = urlsplit(value)
    except ValueError as error:
        raise wrong from error
    if parts.scheme not in ("https", "http") or not parts.hostname or " " in value:
        raise wrong
    return value
