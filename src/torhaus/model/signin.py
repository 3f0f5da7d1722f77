"""Who an identity provider says somebody is, and the ports of the ways to ask."""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import msgspec

from torhaus.model.texts import filled, marked


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """A proved identity. `issuer` and `subject` together are the key, never the address.

    `provider`: its name in the configuration. `email`: lower case; None unless the provider vouches
    for it. `groups`: as the provider names them. `session`: the provider's session, for its logout.
    `id_token_hint`: what RP-initiated logout sends back; empty where there is none. `ends`: of that
    token, Unix seconds. `refresh`: gets newer ones, where somebody uses them. `proved`: when he has
    last proved to the provider who he is, Unix seconds; None where it does not say.
    """

    provider: str
    issuer: str
    subject: str
    email: str | None = None
    name: str = ""
    groups: tuple[str, ...] = ()
    session: str | None = None
    id_token_hint: str = ""
    ends: float | None = None
    refresh: str = ""
    proved: float | None = None


class Departure(msgspec.Struct, frozen=True, kw_only=True):
    """Where the browser is sent. `state`: what comes back with it, random and used once.

    `private`: what this provider must remember until then (nonce, verifier, request id); it is
    kept sealed and never reaches the browser.
    """

    url: str
    state: str
    private: Mapping[str, str]


class Arrival(msgspec.Struct, frozen=True, kw_only=True):
    """What the browser brought back. `query` and `form`: decoded parameters, each name once."""

    query: Mapping[str, str] = {}
    form: Mapping[str, str] = {}
    private: Mapping[str, str] = {}


class SignInError(Exception):
    """The provider's answer proves nothing. The text is for the person and names no secret.

    `detail`: for the log, without tokens or assertions.
    """

    def __init__(self, text: str, detail: str = "") -> None:
        super().__init__(text)
        self.detail = detail


NOT_AGAIN = marked("{provider} has not asked you to sign in again: sign out there, and try again")


class UnaskedError(SignInError):
    """The provider cannot be asked: nothing is known of anybody, and nobody has done anything."""

    def __init__(self, label: str, detail: str = "") -> None:
        text = marked("{provider} cannot be asked right now: try again later")
        super().__init__(filled(text, provider=label), detail)


class Redirecting(Protocol):
    """OIDC and SAML: the browser goes there and comes back."""

    name: str
    label: str

    async def depart(
        self, state: str, callback: str, now: float, *, anew: bool = False
    ) -> Departure:
        """`anew`: he has to prove who he is once more, and `arrive` sees to it that he did.

        Raises SignInError when the provider cannot be reached or its metadata is wrong."""
        ...

    async def arrive(self, arrival: Arrival, callback: str, now: float) -> Identity:
        """Raises SignInError for every answer that does not prove an identity."""
        ...


class Asking(Protocol):
    """LDAP: somebody types a name and a password here."""

    name: str
    label: str

    async def ask(self, user: str, password: str, now: float) -> Identity:
        """Raises SignInError; the same text for an unknown user and a wrong password."""
        ...


@runtime_checkable
class Rechecking(Protocol):
    """A provider that tells nobody when somebody leaves, and is asked again every now and then."""

    name: str
    issuer: str
    interval: float

    async def still(self, subject: str) -> tuple[str, ...] | None:
        """His groups as they are now; None when he is not there any more.

        Raises SignInError when the provider cannot be asked: then nothing is known.
        """
        ...


class LocalAccounts(msgspec.Struct, frozen=True, kw_only=True):
    """Accounts with a password here. `second_factor`: who needs one.

    `administrators`, `everybody`, or `optional` for nobody.
    """

    enabled: bool = True
    second_factor: str = "administrators"


class LoggedOut(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a provider has signed out: a subject, one of its sessions, or both.

    `id` may be seen once until `expires`.
    """

    issuer: str
    subject: str | None
    session: str | None
    id: str
    expires: float


@runtime_checkable
class Described(Protocol):
    """A provider whose administrator is given a description of us (SAML)."""

    def description(self, callback: str) -> bytes:
        """Our metadata. `callback`: where answers are sent to."""
        ...


@runtime_checkable
class Parting(Protocol):
    """A provider that takes part in signing out (OIDC)."""

    async def farewell(self, hint: str, return_to: str, now: float) -> str | None:
        """Where the browser goes to sign out there too; None where the provider has no such page.

        `hint`: the identity's `id_token_hint`. Never raises.
        """
        ...

    async def logged_out(self, token: str, now: float) -> LoggedOut:
        """Whom a back-channel logout token means. Raises SignInError."""
        ...
