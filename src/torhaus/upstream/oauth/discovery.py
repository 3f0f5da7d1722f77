"""Finds out where tokens for a server come from: its metadata, then its authorization server's."""

import msgspec

from torhaus.model.fetch import Fetch, Fetched, FetchError
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import OAuthAccess
from torhaus.model.texts import filled, marked
from torhaus.upstream.oauth import wellknown
from torhaus.upstream.oauth.client import JWT, SECRET_JWT
from torhaus.upstream.oauth.dpop import Key, chosen
from torhaus.upstream.oauth.wellknown import Authority, Challenge, MetadataError, Resource

_IMPOSSIBLE = marked("signing in to it is not possible: {error}")


class OAuthError(UpstreamError):
    """Tokens for it cannot be got. The text is a sentence for people."""


class Known(msgspec.Struct, frozen=True):
    """`scopes`: what the server itself asks for; empty where it says nothing.

    `asks`: it wants tokens that are bound to a key (DPoP).
    """

    resource: Resource
    authority: Authority
    scopes: tuple[str, ...]
    asks: bool = False

    def bound(self, oauth: OAuthAccess) -> bool:
        return self.asks if oauth.bound is None else oauth.bound

    def key(self, oauth: OAuthAccess) -> Key | None:
        """A fresh one, where tokens are to be bound to one. Raises UpstreamError."""
        if not self.bound(oauth):
            return None
        return Key.fresh(chosen(self.authority.proofs, self.authority.issuer))


async def discover(
    fetch: Fetch, url: str, oauth: OAuthAccess, challenge: Challenge, *, machine: bool = False
) -> Known:
    """Raises OAuthError. `machine`: nobody is sent to the authorization server."""
    trusted = named(url, oauth)
    try:
        found = await _resource(fetch, url, challenge)
        issuer = _issuer(found, oauth)
        authority = await _authority(fetch, url, issuer, trusted, machine=machine)
    except (FetchError, MetadataError) as error:
        raise OAuthError(filled(_IMPOSSIBLE, error=str(error))) from error
    if _tells(oauth) and not oauth.issuer and not _same(url, authority):
        text = marked(
            "only the server itself says that its secret is for {issuer}; write issuer into its "
            "auth, if that is the right one"
        )
        raise OAuthError(filled(_IMPOSSIBLE, error=filled(text, issuer=authority.issuer[:200])))
    if not machine and not authority.authorization:
        text = filled(marked("{issuer} has no page for it"), issuer=authority.issuer)
        raise OAuthError(filled(_IMPOSSIBLE, error=text))
    scopes = tuple(challenge.scope.split()) or found.scopes
    return Known(found, authority, scopes, challenge.bound or found.bound)


def named(url: str, oauth: OAuthAccess) -> tuple[str, ...]:
    """URLs that stand in the file: what is at their origins may have private addresses."""
    return tuple(each for each in (url, oauth.issuer, oauth.token_endpoint) if each)


def _tells(oauth: OAuthAccess) -> bool:
    """Whether whoever is asked for a token learns what proves Torhaus elsewhere.

    What is signed names its reader, so it is of no use to another; a secret that is sent, and the
    word of a platform, are. So no server may choose alone who gets to see them.
    """
    sent = oauth.client_secret is not None and oauth.method not in (JWT, SECRET_JWT)
    return sent or oauth.assertion is not None


def _same(url: str, authority: Authority) -> bool:
    """Whether all of it is at the server's own origin: it gets no more there than is its own."""
    return {_origin(url)} == {_origin(authority.issuer), _origin(authority.token)}


def _origin(url: str) -> str:
    return wellknown.base(url).lower()


def _issuer(found: Resource, oauth: OAuthAccess) -> str:
    """Empty where a server without metadata may be its own. Raises MetadataError."""
    if found.authorities and oauth.issuer and oauth.issuer not in found.authorities:
        raise MetadataError(marked("its metadata does not name the issuer that is configured"))
    issuer = oauth.issuer or next(iter(found.authorities), "")
    if not issuer and found.found:
        raise MetadataError(marked("its metadata names no authorization server"))
    return issuer


async def _resource(fetch: Fetch, url: str, challenge: Challenge) -> Resource:
    named = challenge.metadata
    if named and wellknown.base(named).lower() != wellknown.base(url).lower():
        raise MetadataError(marked("it points to metadata on another host"))
    for where in wellknown.resource_documents(url, named):
        reply = await fetch.get(where, _JSON, named=(url,))
        if reply.status == 200:
            return wellknown.resource(reply.body, url)
        _no_other(reply, where)
    return Resource(url.rstrip("/"), found=False)


async def _authority(
    fetch: Fetch, url: str, issuer: str, trusted: tuple[str, ...], *, machine: bool
) -> Authority:
    # Before 2025-06-18 a server was its own authorization server, at its origin.
    own = wellknown.base(url)
    for where in wellknown.issuer_documents(issuer or own):
        reply = await fetch.get(where, _JSON, named=trusted)
        if reply.status == 200:
            if not machine and not wellknown.proves_keys(reply.body):
                text = marked("{issuer} does not check PKCE (S256)")
                raise MetadataError(filled(text, issuer=(issuer or own)[:200]))
            return wellknown.authority(reply.body, issuer or own)
        _no_other(reply, where)
    if issuer:
        raise MetadataError(filled(marked("{issuer} has no metadata"), issuer=issuer[:200]))
    return wellknown.fallback(own)


def _no_other(reply: Fetched, where: str) -> None:
    """Only "there is nothing here" is a reason to look elsewhere."""
    if not 400 <= reply.status < 500:
        text = marked("{host} answers HTTP {status}")
        raise MetadataError(filled(text, host=where[:200], status=str(reply.status)))


_JSON = {"Accept": "application/json"}
