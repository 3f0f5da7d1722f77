"""Who asks: from a credential or an address to a principal."""

from hashlib import sha256

import msgspec

from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.live import Lease, Live
from torhaus.model.networks import lies_in
from torhaus.model.people import Principal
from torhaus.model.rules import Rules

FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip")
"""Headers of a proxy: with one of them the peer's address says nothing about who asks."""

API = None
"""Where the house is administered, among the places a credential may be good for."""


class Proof(msgspec.Struct, frozen=True):
    """`credential`: of the database; None for a key of the file."""

    principal: Principal
    lease: Lease
    credential: Credential | None = None


class NotProved(msgspec.Struct, frozen=True):
    """`reason`: a sentence. `unknown`: nobody here knows it. `down`: what is known is too old."""

    reason: str
    unknown: bool = False
    down: bool = False


CLOSED = "the gateway cannot reach its database and takes no keys from it"
_UNKNOWN = NotProved("the key is not valid here: ask your administrator", unknown=True)
_NOBODY = NotProved("the key is not valid here: ask your administrator")
_DOWN = NotProved(CLOSED, down=True)


def identify(
    rules: Rules, live: Live, key: bytes, place: str | None, now: float
) -> Proof | NotProved:
    """Whose key or token this is, if it is good at this place now.

    `place`: a server's or view's name, empty for the aggregate, None for the API. Found by digest,
    so timing tells nothing about the keys.
    """
    digest = sha256(key).digest()
    principal = rules.keys.get(digest)
    if principal is not None:
        why = live.unwelcome(principal.email, key_id(digest), now)
        if why is not None:
            return NotProved(why)
        return Proof(principal, live.lease(digest, principal.email, None))
    credential = live.find(digest)
    if credential is None:
        return _UNKNOWN
    if live.until <= now:
        return _DOWN
    wrong = misplaced(credential, place, now)
    if wrong is not None:
        return NotProved(wrong)
    principal = rules.principals.get(credential.email)
    if principal is None:
        why = live.unwelcome(credential.email, credential.id, now)
        return _NOBODY if why is None else NotProved(why)
    why = live.unwelcome(principal.email, credential.id, now)
    if why is not None:
        return NotProved(why)
    lease = live.lease(digest, principal.email, credential)
    return Proof(live.acting(principal, credential), lease, credential)


def misplaced(credential: Credential, place: str | None, now: float) -> str | None:
    """Why a credential in a header is not good here and now, as a sentence; None when it is."""
    if credential.kind is CredentialKind.SESSION:
        return "this is a browser's cookie and no key: make a key, or sign in with your client"
    if credential.expires is not None and credential.expires <= now:
        return "the key or token is over: sign in again, or make a new one"
    if place is API and credential.kind is CredentialKind.ACCESS:
        return "access tokens are for MCP clients: administer with a key, or in the browser"
    good = credential.audience
    if good is None or good in ("", place):
        return None
    return f"the key or token is for {good[:80]} alone: use one that is for this address"


def key_id(digest: bytes) -> str:
    """What people and records call a key of the file, which has no name of its own."""
    return "file_" + digest.hex()[:12]


def by_key(rules: Rules, key: bytes) -> Principal | None:
    """Whose key of the file this is, or None."""
    return rules.keys.get(sha256(key).digest())


def anonymous(rules: Rules, ip: str) -> Principal | None:
    """Who a request without a credential acts as, by the first listed network its peer is in.

    `ip`: the peer's address as text; anything that is none, such as a socket's path, is nobody.
    """
    for access in rules.anonymous:
        if lies_in(access.networks, ip):
            return access.principal
    return None
