"""What is done when people sign in and out, as data: digests, never what they prove.

What must arrive as it was made stands in a struct of its own: the door cleans an act's texts.
"""

import msgspec

from torhaus.model.accounts import Password
from torhaus.model.people import Principal
from torhaus.model.signin import Identity

SESSION = 8 * 3600.0
"""Seconds a browser session lasts, from its beginning and however it is used."""
LOCAL = "local"
STRANGER = Principal(id="", email="")
"""Who has proved nothing. What he typed is not recorded: it may be a password."""


class Fresh(msgspec.Struct, frozen=True, kw_only=True):
    """A session about to begin. `digest`: of its cookie. `agent`: which browser, for people.

    `ticket`: digest of what is under way and ends with this; empty for nothing. `replaces`: the
    session he had in this browser, which ends with it: who else has its cookie proves nothing.
    """

    digest: bytes
    provider: str
    agent: str = ""
    ip: str = ""
    ticket: bytes = b""
    replaces: str = ""


class Proof(msgspec.Struct, frozen=True, kw_only=True):
    """What of a second factor is used up. `step`: a code's number.

    `left`: the recovery codes that are left of `before`'s.
    """

    step: int | None = None
    before: Password | None = None
    left: tuple[str, ...] = ()


class SignIn(msgspec.Struct, frozen=True):
    """The actor has proved who he is here, with a password."""

    fresh: Fresh
    proof: Proof | None = None


class Arrive(msgspec.Struct, frozen=True):
    """The actor comes from an identity provider. `invitation`: digest of the link he followed."""

    fresh: Fresh
    identity: Identity
    invitation: bytes = b""


class RefuseSignIn(msgspec.Struct, frozen=True):
    """Somebody was not let in: nothing changes, and it is recorded."""

    provider: str
    reason: str


class SignOut(msgspec.Struct, frozen=True):
    """The actor ends his own session."""

    family: str


class ProviderSignOut(msgspec.Struct, frozen=True):
    """An identity provider says that somebody has signed out there: all that came of it ends.

    `id`: of the message, which counts once until `expires`. `subject`, `session`: at least one.
    """

    issuer: str
    provider: str
    id: str
    expires: float
    subject: str | None = None
    session: str | None = None


class ChangePassword(msgspec.Struct, frozen=True):
    """The actor's own. `keep`: the session that goes on; all others end."""

    password: Password
    keep: str


class SetSecondFactor(msgspec.Struct, frozen=True):
    """The actor's own, or none. `sealed`: its secret. `recovery`: digests of the codes."""

    sealed: bytes | None
    recovery: tuple[str, ...] = ()
    step: int | None = None


class RenewRecovery(msgspec.Struct, frozen=True):
    """The actor's own codes; the old ones are over."""

    recovery: tuple[str, ...]


class RelinkPerson(msgspec.Struct, frozen=True):
    """He signs in with another account from now on. `provider`: which one's; empty for any."""

    email: str
    provider: str = ""


class MakeResetLink(msgspec.Struct, frozen=True):
    """For somebody with a local account, or who is to have one. `digest`: of the link's token.

    `second_factor`: whether it is taken away as well.
    """

    email: str
    digest: bytes
    sealed: bytes
    second_factor: bool = False


class ResetPassword(msgspec.Struct, frozen=True):
    """The actor has opened a link that was made for him."""

    ticket: bytes
    password: Password


class FirstAdministrator(msgspec.Struct, frozen=True):
    """While nobody can administer: whoever has the terminal's link becomes the first who can."""

    ticket: bytes
    email: str
    name: str
    password: Password


class AcceptInvitation(msgspec.Struct, frozen=True):
    """The actor has opened his invitation, and signs in with a password from now on."""

    token: bytes
    password: Password
