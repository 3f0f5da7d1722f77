"""Sign-in at an identity provider: the browser leaves, and comes back once (OIDC, SAML)."""

from collections.abc import Callable, Mapping

import msgspec
import structlog

from torhaus.admin.signin.acts import Arrive, Fresh
from torhaus.admin.signin.entering import Entering
from torhaus.admin.signin.errands import Errand, Errands
from torhaus.admin.signin.outcome import DOWN, LOST, OTHER, WAIT, Closed, Guest, Opened
from torhaus.admin.signin.typed import arriving, replacing
from torhaus.admin.throttle import Throttle
from torhaus.identity.keys import digest
from torhaus.model.accounts import Leaving
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.signin import Arrival, Identity, Redirecting, SignInError, UnaskedError
from torhaus.model.texts import marked

log = structlog.get_logger()

AWAY, BACK, HINT = "away", "back", "hint"
UNKNOWN = marked("There is no such way to sign in.")
HINT_LASTS = 8 * 3600.0


class Travelling:
    """`providers`: by name, those of the rules in force."""

    def __init__(
        self,
        entering: Entering,
        errands: Errands,
        throttle: Throttle,
        providers: Callable[[], Mapping[str, Redirecting]],
    ) -> None:
        self._entering = entering
        self._means = entering.means
        self._errands = errands
        self._throttle = throttle
        self._providers = providers

    async def depart(self, name: str, guest: Guest, errand: Errand, callback: str) -> str | Closed:
        """The URL the browser is sent to. In the place of a session, he proves himself anew."""
        provider = self._providers().get(name)
        if provider is None:
            return Closed(status=404, text=UNKNOWN)
        if (wait := self._throttle.departs(guest.ip)) > 0:
            return Closed(status=429, text=WAIT, wait=wait)
        state = self._errands.token()
        try:
            now, anew = self._means.clock(), bool(errand.replaces)
            leaving = await provider.depart(state, callback, now, anew=anew)
            kept = msgspec.structs.replace(errand, private=leaving.private)
            await self._keep(self._errands.leaving(AWAY, state, kept, guest.browser, name))
        except SignInError as error:
            log.warning("signin.departure.failed", provider=name, detail=error.detail)
            return Closed(status=502, text=str(error))
        except StateError:
            return Closed(status=503, text=DOWN)
        return leaving.url

    async def land(
        self, name: str, state: str, arrival: Arrival, guest: Guest, callback: str
    ) -> Opened | Closed:
        """Back by a link: the browser's own cookie has to be the one it left with."""
        try:
            left = await self._left(AWAY, name, state)
            if left is None or left.browser != guest.browser:
                return Closed(status=400, text=LOST)
            errand = self._errands.opened(left)
            if errand is None:
                return Closed(status=400, text=LOST)
            identity = await self._proved(name, state, errand, arrival, callback, guest)
            if isinstance(identity, Closed):
                return identity
            return await self._enter(name, identity, errand, guest, state)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)

    async def drop_off(
        self, name: str, state: str, arrival: Arrival, guest: Guest, callback: str
    ) -> str | Closed:
        """Back by a form of another site, which comes without cookies.

        What it proves is kept for a minute under a token; the browser then brings that by a link,
        with its cookie. Returns the token.
        """
        try:
            left = await self._left(AWAY, name, state)
            errand = None if left is None else self._errands.opened(left)
            if left is None or errand is None:
                return Closed(status=400, text=LOST)
            identity = await self._proved(name, state, errand, arrival, callback, guest)
            if isinstance(identity, Closed):
                return identity
            token = self._errands.token()
            private = {"identity": msgspec.json.encode(identity).decode()}
            kept = msgspec.structs.replace(errand, private=private)
            async with self._means.office.write() as desk:
                if await desk.departures.take(left.digest, self._means.clock()) is None:
                    return Closed(status=400, text=LOST)
                back = self._errands.leaving(BACK, token, kept, left.browser, name)
                await desk.departures.add(back)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)
        return token

    async def pick_up(self, name: str, token: str, guest: Guest) -> Opened | Closed:
        """The browser brings what it has dropped off."""
        try:
            left = await self._left(BACK, name, token)
            if left is None or left.browser != guest.browser:
                return Closed(status=400, text=LOST)
            errand = self._errands.opened(left)
            if errand is None:
                return Closed(status=400, text=LOST)
            identity = msgspec.json.decode(errand.private["identity"], type=Identity)
            return await self._enter(name, identity, errand, guest, token)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)

    async def _left(self, kind: str, name: str, token: str) -> Leaving | None:
        try:
            found = digest(token)
        except UnicodeEncodeError:
            return None
        async with self._means.office.read() as desk:
            left = await desk.departures.get(found, self._means.clock())
        return left if left is not None and (left.kind, left.provider) == (kind, name) else None

    async def _proved(
        self, name: str, token: str, errand: Errand, arrival: Arrival, callback: str, guest: Guest
    ) -> Identity | Closed:
        provider = self._providers().get(name)
        if provider is None:
            return Closed(status=404, text=UNKNOWN)
        brought = msgspec.structs.replace(arrival, private=errand.private)
        try:
            return await provider.arrive(brought, callback, self._means.clock())
        except SignInError as error:
            log.warning("signin.refused", provider=name, detail=error.detail)
            unasked = isinstance(error, UnaskedError)
            if await self._used_up(token):
                if not unasked:
                    self._throttle.failed(guest.ip)
                await self._entering.refuse(name, str(error), guest)
            return Closed(status=502 if unasked else 403, text=str(error))

    async def _used_up(self, token: str) -> bool:
        """Whether this was the first answer: a failure is recorded once, however often it comes."""
        async with self._means.office.write() as desk:
            return await desk.departures.take(digest(token), self._means.clock()) is not None

    async def _enter(
        self, name: str, identity: Identity, errand: Errand, guest: Guest, token: str
    ) -> Opened | Closed:
        linked = await arriving(self._entering, identity.issuer, identity.subject)
        invitation = bytes.fromhex(errand.invitation)

        def act(fresh: Fresh) -> Arrive:
            return Arrive(replacing(fresh, errand), identity, invitation)

        email = linked or identity.email or ""
        if errand.replaces and email != errand.email:
            if await self._used_up(token):
                await self._entering.refuse(name, OTHER, guest)
            return Closed(status=403, text=OTHER)
        found = await self._entering.enter(email, guest, act, provider=name, ticket=digest(token))
        if isinstance(found, Closed):
            if found.status == 403:
                self._throttle.failed(guest.ip)
            return found
        if identity.id_token_hint:
            await self._remember(found.cookie, identity)
        return msgspec.structs.replace(found, next=errand.next)

    async def _remember(self, cookie: str, identity: Identity) -> None:
        """What the provider wants back when he signs out."""
        kept = Errand(private={"hint": identity.id_token_hint})
        until = self._means.clock() + HINT_LASTS
        token = f"hint {cookie}"
        await self._keep(self._errands.lasting(HINT, token, kept, until, b"", identity.provider))

    async def hint(self, cookie: str) -> tuple[str, str] | None:
        """Provider and ID token of a session that ends; None where there is none. Once."""
        try:
            async with self._means.office.write() as desk:
                found = await desk.departures.take(digest(f"hint {cookie}"), self._means.clock())
        except StateError:
            return None
        errand = None if found is None else self._errands.opened(found)
        if found is None or errand is None:
            return None
        return found.provider, errand.private.get("hint", "")

    async def _keep(self, leaving: Leaving) -> None:
        async with self._means.office.write() as desk:
            await desk.departures.sweep(self._means.clock())
            await desk.departures.add(leaving)
