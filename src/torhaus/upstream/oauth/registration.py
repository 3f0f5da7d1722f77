"""Which client Torhaus is at an authorization server: of the file, a document, or registered."""

import msgspec

from torhaus.model.fetch import Fetch, Fetched, FetchError
from torhaus.model.servers import OAuthAccess
from torhaus.model.texts import filled, marked
from torhaus.upstream.oauth.client import NONE, Client, configured, usual
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.wellknown import Authority

NAME = "Torhaus"


class _Registered(msgspec.Struct):
    client_id: str = ""
    client_secret: str = ""
    token_endpoint_auth_method: str = ""


_read = msgspec.json.Decoder(_Registered).decode


def given(oauth: OAuthAccess, authority: Authority, document: str) -> Client | None:
    """Without asking anybody: the file's client, or the document's. `document`: its URL, if any.

    Who lets clients register need not be able to read a document in a company's own network.
    """
    found = configured(oauth, authority.methods)
    if found is not None:
        return found
    told = document and authority.documents and not authority.registration
    return Client(id=document) if told else None


async def register(
    fetch: Fetch,
    authority: Authority,
    redirect: str,
    scopes: str,
    named: tuple[str, ...] = (),
    *,
    bound: bool = False,
) -> Client:
    """Dynamic registration (RFC 7591). `bound`: tokens will be (DPoP). Raises OAuthError."""
    if not authority.registration:
        text = marked(
            "{issuer} does not let clients register: register Torhaus there by hand, with the "
            "redirect URI {redirect}, and write its client_id into the file"
        )
        raise OAuthError(filled(text, issuer=authority.issuer, redirect=redirect))
    method = NONE if NONE in authority.methods else usual(authority.methods, secret=True)
    wish = {
        "client_name": NAME,
        "redirect_uris": [redirect],
        "grant_types": ["authorization_code", "refresh_token"],
        "response_types": ["code"],
        "token_endpoint_auth_method": method,
        "application_type": "native" if redirect.startswith("http://") else "web",
        **({"dpop_bound_access_tokens": True} if bound else {}),
    }
    try:
        # Some let a client ask for nothing that it did not register for; others register none with
        # a scope that is a resource's alone.
        asked = {**wish, "scope": scopes} if scopes else wish
        reply = await fetch.send(authority.registration, msgspec.json.encode(asked), named=named)
        if reply.status == 400 and scopes:
            reply = await fetch.send(authority.registration, msgspec.json.encode(wish), named=named)
    except FetchError as error:
        text = marked("Torhaus cannot be registered there: {error}")
        raise OAuthError(filled(text, error=str(error))) from error
    return _registered(authority, reply)


def _registered(authority: Authority, reply: Fetched) -> Client:
    if reply.status not in (200, 201):
        text = marked("{issuer} did not register Torhaus (HTTP {status})")
        raise OAuthError(filled(text, issuer=authority.issuer, status=str(reply.status)))
    try:
        found = _read(reply.body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        found = _Registered()
    if not found.client_id or len(found.client_id) > 2048:
        text = marked("{issuer} registered Torhaus without an id")
        raise OAuthError(filled(text, issuer=authority.issuer))
    secret = found.client_secret
    return Client(
        id=found.client_id,
        method=found.token_endpoint_auth_method or usual(authority.methods, secret=bool(secret)),
        secret=secret,
    )
