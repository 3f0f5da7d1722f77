"""What somebody who has signed in does with his own account, keys and sessions."""

from collections.abc import Callable

import msgspec

from torhaus.admin.acts import Done, Refusal
from torhaus.admin.means import Means
from torhaus.admin.people.acts import EndFamily, MakeKey, RevokeKey
from torhaus.admin.perform import Admin
from torhaus.admin.signin import factors
from torhaus.admin.signin.acts import ChangePassword, RenewRecovery, SetSecondFactor
from torhaus.admin.signin.errands import Errand, Errands
from torhaus.admin.signin.mine import Mine, mine
from torhaus.admin.signin.outcome import LOST, WAIT, WRONG_CODE, WRONG_PASSWORD
from torhaus.admin.throttle import HERE, Throttle
from torhaus.identity import recovery, totp
from torhaus.identity.keys import digest, mint
from torhaus.mcp.seal import Sealer
from torhaus.model.accounts import Hasher, Password
from torhaus.model.people import Principal
from torhaus.model.texts import marked

OWN_FACTOR = "own-factor"
SHORTEST, LONGEST = 12, 1024
TOO_SHORT = marked("A password has at least 12 characters. A few words are fine.")
TOO_LONG = marked("A password has at most 1024 characters.")
YOUR_ADDRESS = marked("Your address is no password.")
NOT_THE_SAME = marked("The two passwords differ.")


class Standing(msgspec.Struct, frozen=True):
    """Whether there is a password here, a second factor, and how many recovery codes are left."""

    account: bool = False
    factor: bool = False
    codes: int = 0


class Own:
    """Every method but the reading ones returns a sentence where it is refused.

    All raise StateError and LedgerError.
    """

    def __init__(  # noqa: PLR0913 -- one argument for each thing it works with
        self,
        admin: Admin,
        means: Means,
        errands: Errands,
        sealer: Sealer,
        hasher: Hasher,
        throttle: Throttle,
        random: Callable[[int], bytes],
    ) -> None:
        self._admin = admin
        self._means = means
        self._errands = errands
        self._sealer = sealer
        self._hasher = hasher
        self._throttle = throttle
        self._random = random

    async def standing(self, email: str) -> Standing:
        account = await self._account(email)
        if account is None:
            return Standing()
        return Standing(
            account=True,
            factor=account.second_factor is not None,
            codes=len(account.recovery),
        )

    async def mine(self, email: str) -> Mine:
        means = self._means
        return await mine(means.office, email, means.rules(), means.clock())

    async def make_key(self, who: Principal, act: MakeKey, ip: str) -> tuple[str, str]:
        """The key, shown once, and empty; or empty, and why there is none."""
        key = mint(self._random(32))
        whole = msgspec.structs.replace(act, email=who.email, digest=digest(key), ip=ip)
        done = await self._admin.perform(who, whole, ip)
        return ("", done.reason) if isinstance(done, Refusal) else (key, "")

    async def perform(self, who: Principal, act: object, ip: str) -> str:
        """Any other act on something of his own."""
        return _why(await self._admin.perform(who, act, ip))

    async def revoke_key(self, who: Principal, id: str, ip: str) -> str:
        return _why(await self._admin.perform(who, RevokeKey(id), ip))

    async def end_family(self, who: Principal, id: str, ip: str) -> str:
        return _why(await self._admin.perform(who, EndFamily(id, "ended by its owner"), ip))

    async def change_password(
        self, who: Principal, session: str, old: str, new: str, ip: str
    ) -> str:
        wrong = unfit(new, who.email) or await self._known(who.email, old, ip)
        if wrong:
            return wrong
        hashed = Password(email=who.email, hash=await self._hasher.hash(new))
        return _why(await self._admin.perform(who, ChangePassword(hashed, session), ip))

    async def begin_factor(
        self, email: str, browser: bytes, password: str, ip: str
    ) -> tuple[str, bytes, str]:
        """A ticket, and the secret for the app; or why there is none.

        `browser`: digest of the session's cookie. A session alone is not enough: whoever finds one
        open could put his own factor in the place of the account's.
        """
        wrong = await self._known(email, password, ip)
        if wrong:
            return "", b"", wrong
        secret, token = self._random(totp.SECRET_BYTES), self._errands.token()
        errand = Errand(email=email, secret=secret)
        async with self._means.office.write() as desk:
            await desk.departures.add(self._errands.leaving(OWN_FACTOR, token, errand, browser))
        return token, secret, ""

    async def finish_factor(
        self, who: Principal, browser: bytes, ticket: str, code: str, ip: str
    ) -> tuple[tuple[str, ...], bytes, str]:
        """Recovery codes; or none, the secret to show again, and why."""
        async with self._means.office.read() as desk:
            errand = await self._errands.look(desk, OWN_FACTOR, ticket, browser)
        if errand is None or errand.email != who.email:
            return (), b"", LOST
        step = totp.step_of(errand.secret, code, self._means.clock(), None)
        if step is None:
            return (), errand.secret, WRONG_CODE
        codes = recovery.codes(self._random)
        act = SetSecondFactor(
            factors.sealed(self._sealer, who.email, errand.secret), _digests(codes), step
        )
        why = _why(await self._admin.perform(who, act, ip))
        if not why:
            async with self._means.office.write() as desk:
                await desk.departures.take(digest(ticket), self._means.clock())
        return ((), b"", why) if why else (codes, b"", "")

    async def drop_factor(self, who: Principal, password: str, ip: str) -> str:
        wrong = await self._known(who.email, password, ip)
        return wrong or _why(await self._admin.perform(who, SetSecondFactor(None), ip))

    async def renew_codes(
        self, who: Principal, password: str, ip: str
    ) -> tuple[tuple[str, ...], str]:
        wrong = await self._known(who.email, password, ip)
        if wrong:
            return (), wrong
        codes = recovery.codes(self._random)
        why = _why(await self._admin.perform(who, RenewRecovery(_digests(codes)), ip))
        return ((), why) if why else (codes, "")

    async def _known(self, email: str, password: str, ip: str) -> str:
        """Why this is not his password; empty when it is. Whoever guesses waits here too."""
        if self._throttle.begins(ip, email, HERE) > 0:
            return WAIT
        account = await self._account(email)
        if await self._hasher.verify(None if account is None else account.hash, password):
            self._throttle.right(ip, email, HERE)
            return ""
        return WRONG_PASSWORD

    async def _account(self, email: str) -> Password | None:
        async with self._means.office.read() as desk:
            return await desk.passwords.get(email)


def unfit(password: str, email: str) -> str:
    """Why this is no password for somebody; empty when it is."""
    if len(password) < SHORTEST:
        return TOO_SHORT
    if len(password) > LONGEST:
        return TOO_LONG
    return YOUR_ADDRESS if password.strip().lower() == email.lower() else ""


def _digests(codes: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(recovery.digest(each) for each in codes)


def _why(done: Done | Refusal) -> str:
    return done.reason if isinstance(done, Refusal) else ""
