"""What clients and the people who let them in can do, as data: digests, never tokens.

What must arrive as it was sent stands in a struct of its own: the door cleans an act's texts.
"""

import msgspec

from torhaus.identity.oauth.asked import Asked
from torhaus.identity.oauth.idjag import Asserted
from torhaus.model.oauth import Client
from torhaus.model.people import Principal

STRANGER = Principal(id="", email="")
"""Who registers: a program that nobody has let in yet."""
GRACE = 60.0
"""Seconds in which a refresh token that comes a second time is taken for a retry."""
CODE = 60.0
"""Seconds a code can be exchanged."""


class RegisterClient(msgspec.Struct, frozen=True):
    """`most`: registrations there may be."""

    client: Client
    most: int


class GiveConsent(msgspec.Struct, frozen=True, kw_only=True):
    """The person lets a client in. `id`: of the consent asked for, which is given once.

    `session`: the browser session it is given in. `code`: digest of the code the client gets.
    """

    id: str
    client: Client
    asked: Asked
    session: str
    code: bytes
    ip: str = ""


class Pair(msgspec.Struct, frozen=True, kw_only=True):
    """New tokens: digests, and the access token's name for people."""

    access: bytes
    refresh: bytes
    id: str


class Assigned(msgspec.Struct, frozen=True, kw_only=True):
    """The access token that comes of an assertion: its digest, its name, and what it is for."""

    access: bytes
    id: str
    audience: str


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """What comes with a code. `audience`: what the token is to be for; None for all agreed to.

    `redirect_uri`: None where the client left it out, as OAuth 2.1 allows.
    """

    verifier: str
    redirect_uri: str | None = None
    audience: str | None = None


class ExchangeCode(msgspec.Struct, frozen=True, kw_only=True):
    """A code for tokens."""

    code: bytes
    client: Client
    claim: Claim
    pair: Pair
    ip: str = ""


class RefreshTokens(msgspec.Struct, frozen=True, kw_only=True):
    """`successor`: the new pair, sealed under the old token."""

    refresh: bytes
    client: Client
    audience: str | None
    pair: Pair
    successor: bytes
    ip: str = ""


class AcceptAssertion(msgspec.Struct, frozen=True, kw_only=True):
    """An identity provider lets a client in for somebody, without asking him."""

    asserted: Asserted
    client: Client
    grant: Assigned
    ip: str = ""


class RevokeToken(msgspec.Struct, frozen=True):
    """The client needs it no longer. A refresh token takes its whole consent along."""

    digest: bytes
    refresh: bool


class Issued(msgspec.Struct, frozen=True, kw_only=True):
    """`expires`: of the access token. `successor`: the pair to give instead, for a retry."""

    audience: str
    expires: float
    successor: bytes | None = None


class Denied(msgspec.Struct, frozen=True):
    """The client gets nothing. `code`: RFC 6749 section 5.2."""

    code: str
    text: str
