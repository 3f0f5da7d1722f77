"""Sign-in by what is typed here: local passwords with their codes, and directories (LDAP)."""

from collections.abc import Callable, Mapping

import msgspec
import structlog

from torhaus.admin.acts import Refusal
from torhaus.admin.signin import factors
from torhaus.admin.signin.acts import LOCAL, Arrive, Fresh, Proof, SetSecondFactor, SignIn
from torhaus.admin.signin.devices import Devices
from torhaus.admin.signin.entering import Entering
from torhaus.admin.signin.errands import Errand, Errands
from torhaus.admin.signin.outcome import (
    DOWN,
    LOST,
    OTHER,
    UNREADABLE,
    WAIT,
    WRONG,
    WRONG_CODE,
    Closed,
    CodeNeeded,
    FactorNeeded,
    Guest,
    Opened,
    Outcome,
)
from torhaus.admin.throttle import HERE, Throttle
from torhaus.identity import recovery, totp
from torhaus.identity.keys import digest
from torhaus.mcp.seal import Sealer
from torhaus.model.accounts import Hasher, Password
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.signin import Asking, LocalAccounts, SignInError, UnaskedError
from torhaus.policy.approvers import administers

log = structlog.get_logger()

CODE, FACTOR = "code", "factor"
LONGEST_NAME = 254


class Typed:
    """`directories`: by name, those of the rules in force."""

    def __init__(  # noqa: PLR0913 -- one argument for each thing it works with
        self,
        entering: Entering,
        errands: Errands,
        sealer: Sealer,
        hasher: Hasher,
        throttle: Throttle,
        devices: Devices,
        terms: Callable[[], LocalAccounts],
        directories: Callable[[], Mapping[str, Asking]],
    ) -> None:
        self._entering = entering
        self._means = entering.means
        self._errands = errands
        self._sealer = sealer
        self._hasher = hasher
        self._throttle = throttle
        self._devices = devices
        self._terms = terms
        self._directories = directories

    async def password(self, email: str, password: str, guest: Guest, errand: Errand) -> Outcome:
        """A local account. The same answer, after the same time, for all that is wrong.

        `errand`: where he wants to go, and which session this replaces.
        """
        email = email.strip().lower()[:LONGEST_NAME]
        try:
            device = HERE if errand.replaces else await self._device(email, guest)
            if (wait := self._throttle.begins(guest.ip, email, device)) > 0:
                return Closed(status=429, text=WAIT, wait=wait)
            account = await self._account(email)
            same = await self._hasher.verify(None if account is None else account.hash, password)
            if account is None or not same:
                return await self._wrong("wrong address or password", guest, email, WRONG)
            self._throttle.right(guest.ip, email, device)
            return await self._second_step(account, guest, errand)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)

    async def code(self, token: str, code: str, guest: Guest) -> Outcome:
        """The second step: a code of the app, or a recovery code."""
        try:
            errand, account = await self._under_way(CODE, token, guest)
            if errand is None or account is None:
                return Closed(status=400, text=LOST)
            device = HERE if errand.replaces else self._known(account, guest)
            if (wait := self._throttle.wait(guest.ip, account.email, device)) > 0:
                return Closed(status=429, text=WAIT, wait=wait)
            proof = factors.proof(self._sealer, account, code, self._means.clock())
            if proof is None:
                self._throttle.failed(guest.ip, account.email, device)
                if not factors.readable(self._sealer, account, self._means.clock()):
                    return Closed(status=503, text=UNREADABLE)
                return await self._wrong("wrong code", guest, account.email, WRONG_CODE)
            return await self._in(account.email, guest, errand, token, proof)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)

    async def factor(self, token: str, code: str, guest: Guest) -> Outcome:
        """The second factor is set up with its first code, and he is in."""
        try:
            errand, account = await self._under_way(FACTOR, token, guest)
            if errand is None or account is None or account.second_factor is not None:
                return Closed(status=400, text=LOST)
            step = totp.step_of(errand.secret, code, self._means.clock(), None)
            if step is None:
                self._throttle.failed(guest.ip, account.email)
                return await self._wrong("wrong code", guest, account.email, WRONG_CODE)
            codes = recovery.codes(self._entering.random)
            act = SetSecondFactor(
                factors.sealed(self._sealer, account.email, errand.secret),
                tuple(recovery.digest(each) for each in codes),
                step,
            )
            actor = self._entering.principal(account.email) or _nobody(account.email)
            if isinstance(await self._entering.admin.perform(actor, act, guest.ip), Refusal):
                return Closed(status=400, text=LOST)
            found = await self._in(account.email, guest, errand, token, None)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)
        return msgspec.structs.replace(found, codes=codes) if isinstance(found, Opened) else found

    async def showing(self, token: str, guest: Guest) -> FactorNeeded | None:
        """The second factor that is being set up, to be shown again. Raises StateError."""
        errand, account = await self._under_way(FACTOR, token, guest)
        if errand is None or account is None:
            return None
        return FactorNeeded(token=token, email=account.email, secret=errand.secret)

    async def directory(
        self, name: str, user: str, password: str, guest: Guest, errand: Errand
    ) -> Outcome:
        """As `password`. Where a session is replaced, its owner has to be the one who comes."""
        provider = self._directories().get(name)
        if provider is None:
            return Closed(status=404, text=LOST)
        account = (
            f"{name} {' '.join(user.lower().split())[:LONGEST_NAME]}"  # as directories compare
        )
        known = self._devices.since(guest.device, account) is not None
        device = self._devices.name(guest.device) if known else ""
        if (wait := self._throttle.begins(guest.ip, account, device)) > 0:
            return Closed(status=429, text=WAIT, wait=wait)
        try:
            try:
                identity = await provider.ask(user, password, self._means.clock())
            except UnaskedError as error:
                log.warning("signin.unanswered", provider=name, detail=error.detail)
                self._throttle.right(guest.ip, account, device)
                await self._entering.refuse(name, str(error), guest)
                return Closed(status=502, text=str(error))
            except SignInError as error:
                log.info("signin.refused", provider=name, detail=error.detail)
                await self._entering.refuse(name, str(error), guest)
                return Closed(status=401, text=str(error))
            linked = await arriving(self._entering, identity.issuer, identity.subject)
            invitation = bytes.fromhex(errand.invitation)
            email = linked or identity.email or ""
            if errand.replaces and email != errand.email:
                await self._entering.refuse(name, OTHER, guest)
                return Closed(status=403, text=OTHER)
            found = await self._entering.enter(
                email,
                guest,
                lambda fresh: Arrive(replacing(fresh, errand), identity, invitation),
                provider=name,
            )
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)
        if isinstance(found, Opened):
            self._throttle.right(guest.ip, account, device)
            kept = self._devices.signed_in(guest.device, account)
            found = msgspec.structs.replace(found, device=kept)
        return _going(found, errand.next)

    async def _device(self, email: str, guest: Guest) -> str:
        """The name of a browser that has signed in with this account before; else empty."""
        if self._devices.since(guest.device, email) is None:
            return ""
        account = await self._account(email)
        return "" if account is None else self._known(account, guest)

    def _known(self, account: Password, guest: Guest) -> str:
        """As `_device`. Not since before the password was changed: another may have known it."""
        since = self._devices.since(guest.device, account.email)
        if since is None or since < account.changed:
            return ""
        return self._devices.name(guest.device)

    async def _account(self, email: str) -> Password | None:
        if not self._terms().enabled or not email:
            return None
        async with self._means.office.read() as desk:
            return await desk.passwords.get(email)

    async def _second_step(self, account: Password, guest: Guest, errand: Errand) -> Outcome:
        errand = msgspec.structs.replace(errand, email=account.email, password=account.hash)
        if account.second_factor is not None:
            token = await self._leave(CODE, errand, guest)
            return CodeNeeded(token=token)
        if self._must_have_factor(account.email):
            secret = self._entering.random(totp.SECRET_BYTES)
            errand = msgspec.structs.replace(errand, secret=secret)
            token = await self._leave(FACTOR, errand, guest)
            return FactorNeeded(token=token, email=account.email, secret=secret)
        return await self._in(account.email, guest, errand, "", None)

    def _must_have_factor(self, email: str) -> bool:
        principal = self._entering.principal(email)
        if principal is None or self._terms().second_factor == "optional":
            return False
        return self._terms().second_factor == "everybody" or administers(
            principal, "*", self._means.clock()
        )

    async def _leave(self, kind: str, errand: Errand, guest: Guest) -> str:
        token = self._errands.token()
        leaving = self._errands.leaving(kind, token, errand, guest.browser, LOCAL)
        async with self._means.office.write() as desk:
            await desk.departures.sweep(self._means.clock())
            await desk.departures.add(leaving)
        return token

    async def _under_way(
        self, kind: str, token: str, guest: Guest
    ) -> tuple[Errand | None, Password | None]:
        async with self._means.office.read() as desk:
            errand = await self._errands.look(desk, kind, token, guest.browser)
            if errand is None or not self._terms().enabled:
                return None, None
            account = await desk.passwords.get(errand.email)
        # A password that was changed meanwhile may have been changed because somebody knew it.
        same = account is not None and account.hash == errand.password
        return (errand, account) if same else (None, None)

    async def _in(
        self, email: str, guest: Guest, errand: Errand, token: str, proof: Proof | None
    ) -> Opened | Closed:
        def act(fresh: Fresh) -> SignIn:
            return SignIn(replacing(fresh, errand), proof)

        ticket = digest(token) if token else b""
        device = HERE if errand.replaces else await self._device(email, guest)
        found = await self._entering.enter(email, guest, act, provider=LOCAL, ticket=ticket)
        if isinstance(found, Opened):
            self._throttle.passed(email, device)
            kept = self._devices.signed_in(guest.device, email)
            found = msgspec.structs.replace(found, device=kept)
        elif found.status == 403:  # the right password, but no access: each try is recorded
            self._throttle.failed(guest.ip, email, device)
        return _going(found, errand.next)

    async def _wrong(self, reason: str, guest: Guest, email: str, text: str) -> Closed:
        await self._entering.refuse(LOCAL, reason, guest, email)
        return Closed(status=401, text=text)


async def arriving(entering: Entering, issuer: str, subject: str) -> str | None:
    """Whose account at a provider this is, if it is known. Raises StateError."""
    async with entering.means.office.read() as desk:
        link = await desk.identities.get(issuer, subject)
    return None if link is None else link.email


def replacing(fresh: Fresh, errand: Errand) -> Fresh:
    return msgspec.structs.replace(fresh, replaces=errand.replaces)


def _going(found: Opened | Closed, next: str) -> Opened | Closed:
    return msgspec.structs.replace(found, next=next) if isinstance(found, Opened) else found


def _nobody(email: str) -> Principal:
    return Principal(id=email, email=email)
