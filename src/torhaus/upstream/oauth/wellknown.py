"""Where the documents of servers and authorization servers are, and what they say. Pure."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

import msgspec

from torhaus.model.texts import filled, marked

_PIECE = re.compile(r'([A-Za-z][\w-]*)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+)))?')
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+(?: [\x21\x23-\x5b\x5d-\x7e]+)*")  # RFC 6749 A.4
RESOURCE = "/.well-known/oauth-protected-resource"
SERVER = "/.well-known/oauth-authorization-server"
OPENID = "/.well-known/openid-configuration"


class Challenge(msgspec.Struct, frozen=True):
    """What a server asks for in `WWW-Authenticate`. `bound`: a token that is bound to a key."""

    metadata: str = ""
    scope: str = ""
    error: str = ""
    bound: bool = False


class Resource(msgspec.Struct, frozen=True):
    """Metadata of a server (RFC 9728). `found`: whether it has any.

    `bound`: it takes tokens only that are bound to a key (DPoP).
    """

    resource: str
    authorities: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()
    found: bool = True
    bound: bool = False


class Authority(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization server (RFC 8414). `iss`: answers of its say who they are from.

    `proofs`: what proofs of possession may be signed with, empty where it does not say.
    """

    issuer: str
    authorization: str = ""
    token: str
    registration: str = ""
    methods: tuple[str, ...] = ("client_secret_basic",)
    scopes: tuple[str, ...] = ()
    iss: bool = False
    documents: bool = False
    proofs: tuple[str, ...] = ()


class MetadataError(ValueError):
    """A document cannot be followed. The text is a sentence and names no secret."""


def challenge(header: str, *, bound: bool = False) -> Challenge:
    """The `Bearer` challenge, else that of `DPoP`; the other way round where a token is `bound`.

    Empty where there is none.
    """
    found = _challenges(header)
    for scheme in ("dpop", "bearer") if bound else ("bearer", "dpop"):
        if scheme in found:
            said = found[scheme]
            scope = said.get("scope", "")
            return Challenge(
                said.get("resource_metadata", ""),
                scope if _SCOPE.fullmatch(scope) else "",
                said.get("error", ""),
                scheme == "dpop",
            )
    return Challenge()


def _challenges(header: str) -> dict[str, dict[str, str]]:
    """The first of each scheme, in lower case, with its parameters (RFC 9110 section 11.6.1)."""
    found: dict[str, dict[str, str]] = {}
    said: dict[str, str] = {}
    for piece in _PIECE.finditer(header) if len(header) <= 8192 else ():
        name, quoted, plain = piece.groups()
        if quoted is None and plain is None:
            said = {}
            found.setdefault(name.lower(), said)
        else:
            said[name.lower()] = re.sub(r"\\(.)", r"\1", quoted) if quoted else plain or ""
    return found


def resource_documents(url: str, named: str) -> list[str]:
    """Where metadata of the server at `url` may be; `named`: where the server says it is."""
    if named:
        return [named]
    base, path = _split(url)
    return list(dict.fromkeys([f"{base}{RESOURCE}{path}", f"{base}{RESOURCE}"]))


def issuer_documents(issuer: str) -> list[str]:
    """Where metadata of an issuer may be, in the order in which clients must ask."""
    base, path = _split(issuer)
    if not path:
        return [f"{base}{SERVER}", f"{base}{OPENID}"]
    return [f"{base}{SERVER}{path}", f"{base}{OPENID}{path}", f"{base}{path}{OPENID}"]


def base(url: str) -> str:
    return _split(url)[0]


def resource(body: bytes, url: str) -> Resource:
    """Raises MetadataError when it is about another resource (RFC 9728 section 3.3)."""
    found = _object(body, "the server's resource metadata")
    said = _text(found, "resource")
    if not covers(said, url):
        text = marked("its metadata is about another resource ({resource}), not about its url")
        raise MetadataError(filled(text, resource=said[:200] or "-"))
    return Resource(
        said,
        _texts(found, "authorization_servers"),
        _texts(found, "scopes_supported"),
        bound=found.get("dpop_bound_access_tokens_required") is True,
    )


def authority(body: bytes, issuer: str) -> Authority:
    """Raises MetadataError when it is of another issuer, or lets clients go without PKCE."""
    found = _object(body, "the authorization server's metadata")
    said = _text(found, "issuer")
    if said != issuer and (said.rstrip("/") != issuer.rstrip("/") or _split(issuer)[1]):
        text = marked("the metadata of {issuer} is of another issuer: {other}")
        raise MetadataError(filled(text, issuer=issuer[:200], other=said[:200]))
    token = _url(found, "token_endpoint")
    if not token:
        raise MetadataError(filled(marked("{issuer} names no token endpoint"), issuer=issuer[:200]))
    return Authority(
        issuer=said,
        authorization=_url(found, "authorization_endpoint"),
        token=token,
        registration=_url(found, "registration_endpoint"),
        methods=_texts(found, "token_endpoint_auth_methods_supported") or ("client_secret_basic",),
        scopes=_texts(found, "scopes_supported"),
        iss=found.get("authorization_response_iss_parameter_supported") is True,
        documents=found.get("client_id_metadata_document_supported") is True,
        proofs=_texts(found, "dpop_signing_alg_values_supported"),
    )


def proves_keys(body: bytes) -> bool:
    """Whether it checks PKCE's S256, as clients must insist on."""
    found = _object(body, "the authorization server's metadata")
    return "S256" in _texts(found, "code_challenge_methods_supported")


def fallback(origin: str) -> Authority:
    """Where servers of 2025-03-26 without any metadata have their endpoints."""
    return Authority(
        issuer=origin,
        authorization=f"{origin}/authorize",
        token=f"{origin}/token",
        registration=f"{origin}/register",
        methods=("none", "client_secret_basic", "client_secret_post"),
    )


def _split(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.netloc:
        raise MetadataError(f"{url[:200]!r} is no http(s) URL")
    return f"{parts.scheme}://{parts.netloc}", parts.path.rstrip("/")


def covers(resource: str, url: str) -> bool:
    """The resource itself, or one that it lies below, as SDKs have servers name themselves."""
    try:
        (base, path), (own, below) = _split(resource), _split(url)
    except MetadataError:
        return False
    same = base.lower() == own.lower()
    return same and (path == below or below.startswith(f"{path}/") or not path)


def _object(body: bytes, what: str) -> Mapping[str, Any]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        found = None
    if not isinstance(found, dict):
        raise MetadataError(f"{what} is no JSON object")
    return found


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) else ""


def _url(found: Mapping[str, Any], name: str) -> str:
    value = _text(found, name)
    if value:
        _split(value)
    return value


def _texts(found: Mapping[str, Any], name: str) -> tuple[str, ...]:
    value = found.get(name)
    if not isinstance(value, list):
        return ()
    return tuple(each for each in value[:100] if isinstance(each, str) and len(each) <= 2048)
