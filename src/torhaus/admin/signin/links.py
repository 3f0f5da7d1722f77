"""One-time links: the first administrator's, those that reset a password, and invitations."""

from collections.abc import Callable

import msgspec

from torhaus.admin.acts import Refusal
from torhaus.admin.means import Means
from torhaus.admin.perform import Admin
from torhaus.admin.signin.acts import (
    AcceptInvitation,
    FirstAdministrator,
    MakeResetLink,
    ResetPassword,
)
from torhaus.admin.signin.errands import Errand, Errands
from torhaus.admin.signin.first import LASTS, SETUP, needed
from torhaus.admin.signin.own import NOT_THE_SAME, unfit
from torhaus.admin.signin.passwords import LINK, RESET, RESET_LASTS
from torhaus.audit.acts import Act
from torhaus.identity.keys import digest
from torhaus.model.accounts import Hasher, Invitation, Password
from torhaus.model.people import Principal
from torhaus.model.texts import marked

NO_ADDRESS = marked("This is no e-mail address.")
OVER = marked("This link has been used, or is over. Ask for a new one.")


class NewPassword(msgspec.Struct, frozen=True):
    """As it was typed, twice."""

    password: str
    again: str


class OneTimeLinks:
    """Methods that act return a sentence where they are refused.

    All raise StateError and LedgerError. `enabled`: whether there are local accounts.
    """

    def __init__(
        self,
        admin: Admin,
        means: Means,
        errands: Errands,
        hasher: Hasher,
        enabled: Callable[[], bool],
    ) -> None:
        self._admin = admin
        self._means = means
        self._errands = errands
        self._hasher = hasher
        self._enabled = enabled

    async def setup(self) -> str | None:
        """The token of a fresh link for the first administrator, if one is needed.

        Links of earlier starts are over.
        """
        token = self._errands.token()
        now = self._means.clock()
        async with self._means.office.write() as desk:
            await desk.departures.forget(SETUP)
            if not self._enabled() or not await needed(desk, self._means.rules(), now):
                return None
            leaving = self._errands.lasting(SETUP, token, Errand(), now + LASTS)
            await desk.departures.add(leaving)
        return token

    async def opens(self, kind: str, token: str) -> Errand | None:
        """What a link is for; None when it is used or over."""
        async with self._means.office.read() as desk:
            return await self._errands.look(desk, kind, token)

    async def invited(self, token: str) -> Invitation | None:
        if not token.isascii() or len(token) > 128:
            return None
        async with self._means.office.read() as desk:
            found = await desk.invitations.sent(digest(token))
        alive = found is not None and found.expires > self._means.clock()
        return found if found is not None and alive and found.state == "pending" else None

    async def first(self, token: str, email: str, name: str, typed: NewPassword, ip: str) -> str:
        email = email.strip().lower()
        if not _address(email):
            return NO_ADDRESS
        if await self.opens(SETUP, token) is None:
            return OVER
        hashed = await self._hashed(typed, email)
        if isinstance(hashed, str):
            return hashed
        act = FirstAdministrator(digest(token), email, name.strip()[:200], hashed)
        return await self._done(email, act, ip)

    async def reset(self, token: str, typed: NewPassword, ip: str) -> str:
        errand = await self.opens(RESET, token)
        if errand is None or not self._enabled():
            return OVER
        hashed = await self._hashed(typed, errand.email)
        if isinstance(hashed, str):
            return hashed
        return await self._done(errand.email, ResetPassword(digest(token), hashed), ip)

    async def accept(self, token: str, typed: NewPassword, ip: str) -> str:
        asked = await self.invited(token)
        if asked is None or not self._enabled():
            return OVER
        hashed = await self._hashed(typed, asked.email)
        if isinstance(hashed, str):
            return hashed
        return await self._done(asked.email, AcceptInvitation(digest(token), hashed), ip)

    async def reset_link(
        self, actor: Principal, email: str, ip: str, *, second_factor: bool
    ) -> tuple[str, Refusal | None]:
        """The token of a link for somebody, or why there is none."""
        if not self._enabled():
            told = Act(operation=LINK, facts={"email": email[:254]})
            fix = "people sign in at an identity provider; or set auth.local: {enabled: true}"
            return "", Refusal("invalid", "passwords of Torhaus open nothing here", told, fix)
        token, email = self._errands.token(), email.strip().lower()
        until = self._means.clock() + RESET_LASTS
        leaving = self._errands.lasting(RESET, token, Errand(email=email), until)
        act = MakeResetLink(email, leaving.digest, leaving.sealed, second_factor)
        done = await self._admin.perform(actor, act, ip)
        return ("", done) if isinstance(done, Refusal) else (token, None)

    async def _hashed(self, typed: NewPassword, email: str) -> Password | str:
        wrong = unfit(typed.password, email)
        if wrong or typed.password != typed.again:
            return wrong or NOT_THE_SAME
        return Password(email=email, hash=await self._hasher.hash(typed.password))

    async def _done(self, email: str, act: object, ip: str) -> str:
        known = self._means.rules().principals.get(email)
        actor = known or Principal(id=email, email=email)
        done = await self._admin.perform(actor, act, ip)
        return done.reason if isinstance(done, Refusal) else ""


def _address(text: str) -> bool:
    name, _, domain = text.partition("@")
    plain = text.isascii() and text.isprintable() and " " not in text and len(text) <= 254
    return bool(name and domain) and "@" not in domain and plain
