"""What a client says about itself: documents at its id (CIMD), and registrations (RFC 7591)."""

import json
import re
from collections.abc import Collection, Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from torhaus.identity.oauth.redirects import PRIVATE, fault
from torhaus.model.oauth import Client

MAX_DOCUMENT = 64 * 1024
MAX_NAME = 80
MAX_REDIRECTS = 20
METHODS = ("none", "client_secret_basic", "client_secret_post")
GRANTS = frozenset(("authorization_code", "refresh_token"))

_DOCUMENT = re.compile(r"https://[a-z0-9.-]+(:[0-9]{1,5})?(/[A-Za-z0-9\-._~%!$&'()*+,;=:@]+)+/?")
_DOTS = re.compile(r"/(\.|%2e){1,2}(/|$)", re.IGNORECASE)


class MetadataError(Exception):
    """`code`: invalid_redirect_uri or invalid_client_metadata (RFC 7591 section 3.2.2)."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Registered(msgspec.Struct, frozen=True, kw_only=True):
    """A registration that is taken. `dropped`: redirect URIs that are not."""

    name: str
    redirect_uris: tuple[str, ...]
    method: str
    grants: tuple[str, ...]
    application_type: str | None
    dropped: tuple[str, ...] = ()


def is_document(client_id: str) -> bool:
    """Whether this id is the URL of a document: https, with a path, and one spelling alone."""
    return (
        len(client_id) <= 512
        and _DOCUMENT.fullmatch(client_id) is not None
        and _DOTS.search(client_id) is None
    )


def host(client_id: str) -> str:
    """Who vouches for a document, for people; empty for other ids."""
    return urlsplit(client_id).netloc if is_document(client_id) else ""


def from_document(client_id: str, body: bytes) -> Client:
    """The client that a document describes. Raises MetadataError."""
    told = _object(body)
    if told.get("client_id") != client_id:
        raise _wrong("the document's client_id is not the URL it was fetched from")
    if told.get("token_endpoint_auth_method", "none") != "none" or "client_secret" in told:
        raise _wrong("the document asks for a secret; only public clients have a document here")
    found, _ = _redirects(told, PRIVATE)
    if not found:
        raise MetadataError("invalid_redirect_uri", "the document names no address we may use")
    return Client(id=client_id, kind="document", name=_name(told), redirect_uris=found)


def registration(body: bytes, also: Collection[str] = PRIVATE) -> Registered:
    """What somebody who registers may have of what he asks for. Raises MetadataError.

    One bad address among several is left out: Cursor registers three at once. The kind of
    application says nothing here: Cursor calls itself `web` and names a private scheme.
    """
    told = _object(body)
    found, dropped = _redirects(told, also)
    if not found:
        first = dropped[0] if dropped else ""
        why = (fault(first, also) if first else None) or "name at least one redirect URI"
        raise MetadataError("invalid_redirect_uri", why)
    method = told.get("token_endpoint_auth_method", "none")
    if method not in METHODS:
        raise _wrong(f"token_endpoint_auth_method is one of: {', '.join(METHODS)}")
    if not _texts(told.get("grant_types", ["authorization_code"])).issubset(GRANTS):
        raise _wrong("grant_types are authorization_code and refresh_token")
    if not _texts(told.get("response_types", ["code"])) <= {"code"}:
        raise _wrong("response_types is code")
    kind = told.get("application_type")
    if kind not in (None, "web", "native"):
        raise _wrong("application_type is web or native")
    return Registered(
        name=_name(told, required=False),
        redirect_uris=found,
        method=str(method),
        grants=("authorization_code", "refresh_token"),
        application_type=kind,
        dropped=dropped,
    )


def response(client: Client, registered: Registered, secret: str | None) -> dict[str, Any]:
    """What the new client is told (RFC 7591 section 3.2.1), without a null."""
    found: dict[str, Any] = {
        "client_id": client.id,
        "client_id_issued_at": int(client.created),
        "client_name": client.name,
        "redirect_uris": list(client.redirect_uris),
        "grant_types": list(registered.grants),
        "response_types": ["code"],
        "token_endpoint_auth_method": client.method,
        "scope": "mcp",
    }
    if registered.application_type is not None:
        found["application_type"] = registered.application_type
    if secret is not None:
        found |= {"client_secret": secret, "client_secret_expires_at": 0}
    return found


def _redirects(
    told: Mapping[str, Any], also: Collection[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Those that are allowed, and those that are not."""
    listed = told.get("redirect_uris")
    if not isinstance(listed, list) or not listed or len(listed) > MAX_REDIRECTS:
        raise MetadataError(
            "invalid_redirect_uri", f"redirect_uris is a list of 1 to {MAX_REDIRECTS} URLs"
        )
    if not all(isinstance(each, str) for each in listed):
        raise MetadataError("invalid_redirect_uri", "redirect_uris is a list of URLs")
    fine = tuple(dict.fromkeys(each for each in listed if fault(each, also) is None))
    return fine, tuple(each for each in listed if each not in fine)


def _name(told: Mapping[str, Any], *, required: bool = True) -> str:
    """As it is shown to people: what would hide or reorder text is taken out."""
    name = told.get("client_name")
    if not isinstance(name, str) or not name.strip():
        if required:
            raise _wrong("client_name is missing")
        return ""
    return readable(name)


def readable(name: str) -> str:
    """On one line, cut, and without invisible characters."""
    kept = "".join(each if each.isprintable() else " " for each in name)
    return " ".join(kept.split())[:MAX_NAME]


def _texts(value: Any) -> set[str]:
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise _wrong("grant_types and response_types are lists of words")
    return set(value)


def _object(body: bytes) -> dict[str, Any]:
    if len(body) > MAX_DOCUMENT:
        raise _wrong("this is larger than 64 kB")
    try:
        told = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise _wrong("this is not JSON") from error
    if not isinstance(told, dict):
        raise _wrong("this is not a JSON object")
    return told


def _wrong(text: str) -> MetadataError:
    return MetadataError("invalid_client_metadata", text)
