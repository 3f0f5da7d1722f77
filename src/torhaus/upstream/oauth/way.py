"""The way to show a server a token: of somebody's account, of a shared one, or of Torhaus."""

import asyncio

import msgspec

from torhaus.model.ports import NotConnected, StateError, UpstreamError
from torhaus.model.servers import Acting, OAuthAccess, Server
from torhaus.model.vault import Held, VaultKind
from torhaus.upstream.accounts import EVERYBODY, Shown
from torhaus.upstream.faults import DeniedError
from torhaus.upstream.looking import looked
from torhaus.upstream.oauth import wellknown
from torhaus.upstream.oauth.client import renewed
from torhaus.upstream.oauth.discovery import OAuthError, named
from torhaus.upstream.oauth.enterprise import Enterprise, Means
from torhaus.upstream.oauth.machine import Machine
from torhaus.upstream.oauth.showing import bound_to, proving, shown, unproved
from torhaus.upstream.oauth.tokens import Endpoint, Rejected, stale

KINDS = (VaultKind.OAUTH_USER, VaultKind.OAUTH_SHARED)
WAIT = 0.25
LONGEST = 40.0
"""Seconds to wait for another process that refreshes the same token."""
DEAD = ("invalid_grant", "invalid_client", "unauthorized_client")
"""Answers after which a refresh token is of no use any more."""


class OAuthWay:
    """Owned by one event loop. One refresh serves all who wait for it, in all processes."""

    def __init__(self, server: Server, url: str, oauth: OAuthAccess, means: Means) -> None:
        self._name = server.name
        self._url = url
        self._oauth = oauth
        self._means = means
        self._machine = Machine(url, oauth, means.fetch, means.clock, means.ids, means.nonces)
        self._enterprise = Enterprise(server.name, url, oauth, means)
        self._refreshing: dict[str, asyncio.Task[Held]] = {}
        self._shown: dict[str, tuple[Held, Shown]] = {}
        self._asked: dict[str, str] = {}
        self._renewed: dict[str, tuple[str, int]] = {}
        self._dead: dict[str, tuple[str, int]] = {}

    def _own(self, account: str) -> bool:
        """Whether this is Torhaus's own account, for which nobody connects."""
        return account == EVERYBODY and self._oauth.mode is Acting.CLIENT

    def _vouched(self, account: str) -> bool:
        """Whether an identity provider gets this caller in."""
        return account != EVERYBODY and bool(self._oauth.provider)

    def at_hand(self, account: str) -> Shown | None:
        if self._own(account):
            return self._machine.at_hand()
        if self._vouched(account):
            return self._enterprise.at_hand(account)
        found = self._means.wallet.known(self._name, account)
        held = None if found is None else self._token(found)
        if held is None or self._stale(held):
            return None
        return self._of(held)

    async def present(self, account: str) -> Shown:
        if self._own(account):
            return await self._machine.fresh()
        if self._vouched(account):
            return await self._enterprise.present(account)
        held = await self._look(account)
        if held is None:
            raise self._missing(account)
        if self._stale(held):
            held = await self._refreshed(account, held)
        return self._of(held)

    async def refused(self, account: str, shown: Shown, denied: DeniedError) -> Shown | None:
        said = wellknown.challenge(denied.challenge, bound=shown.prover is not None)
        if (wrong := unproved(shown, said)) is not None:
            raise wrong
        if not denied.outright:
            return await self._short(account, said) if said.error == "insufficient_scope" else None
        if self._own(account):
            return await self._machine.other(shown, said)
        if self._vouched(account):
            return await self._enterprise.other(account, shown, said)
        held = await self._look(account)
        if held is None:
            raise self._missing(account)
        if self._of(held) != shown:
            return self._of(held)
        # A token that was refreshed for this very reason: somebody else issues them by now.
        again = self._renewed.get(account) == (held.kept.id, held.kept.version)
        if (again and not self._over(held)) or not held.content.refresh:
            raise self._missing(account, "is not accepted any more", said.scope)
        fresh = await self._refreshed(account, held)
        self._renewed[account] = (fresh.kept.id, fresh.kept.version)
        return self._of(fresh)

    async def answered(self, account: str, shown: Shown) -> None:  # noqa: ARG002 -- the port's shape
        self._asked.pop(account, None)
        self._renewed.pop(account, None)

    async def _short(self, account: str, said: wellknown.Challenge) -> Shown | None:
        """It wants more than the token allows: somebody has to agree, once for each wish."""
        if self._own(account):
            return await self._machine.wider(said)
        if self._vouched(account):
            return await self._enterprise.wider(account, said)
        held = await self._look(account)
        had = [] if held is None else held.content.scope.split()
        wanted = said.scope.split()
        if set(wanted) <= set(had) or self._asked.get(account) == said.scope:
            return None
        self._asked[account] = said.scope
        both = " ".join(dict.fromkeys([*had, *wanted]))
        raise self._missing(account, "needs more rights there", both)

    # -- tokens --------------------------------------------------------------------------------

    async def _look(self, account: str) -> Held | None:
        return self._token(await looked(self._means.wallet, self._name, account))

    def _token(self, found: tuple[Held, ...]) -> Held | None:
        """A token for this very server: in the file its name may stand for another one by now."""
        held = next((each for each in found if each.kept.kind in KINDS), None)
        if held is None:
            return None
        named, of = self._oauth.resource, held.content.resource
        if self._oauth.bound and not held.content.proof_key:
            return None  # the file wants it bound by now
        return held if (of == named if named else wellknown.covers(of, self._url)) else None

    def _stale(self, held: Held) -> bool:
        return stale(held.kept.expires, held.kept.rotated, self._means.clock())

    def _over(self, held: Held) -> bool:
        """Whether it has ended by itself, such as on a long way."""
        expires = held.kept.expires
        return expires is not None and expires <= self._means.clock()

    async def _refreshed(self, account: str, held: Held) -> Held:
        """By one task for all callers, which goes on although they hang up."""
        task = self._refreshing.get(account)
        if task is None:
            task = asyncio.ensure_future(self._refresh(account, held))
            self._refreshing[account] = task
            task.add_done_callback(lambda done: self._done(account, done))
        return await asyncio.shield(task)

    def _done(self, account: str, task: "asyncio.Task[Held]") -> None:
        self._refreshing.pop(account, None)
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _refresh(self, account: str, held: Held) -> Held:
        # Whoever asks again and again must not ask the authorization server each time.
        dead = self._dead.get(account) == (held.kept.id, held.kept.version)
        if dead or not held.content.refresh:
            raise self._missing(account, "has ended")
        wallet = self._means.wallet
        try:
            if not await wallet.claim(held):
                return await self._waited(account, held)
            return await self._exchanged(account, held)
        except StateError as error:
            raise UpstreamError(str(error)) from error

    async def _exchanged(self, account: str, held: Held) -> Held:
        wallet, content = self._means.wallet, held.content
        form = {"grant_type": "refresh_token", "refresh_token": content.refresh}
        form["resource"] = content.resource
        try:
            found = await self._endpoint(held).ask(form)
        except Rejected as error:
            await wallet.failed(held, str(error))
            if error.code in DEAD:
                self._dead[account] = (held.kept.id, held.kept.version)
                raise self._missing(account, "has ended") from error
            raise
        except OAuthError as error:
            await wallet.failed(held, str(error))
            raise
        fresh = msgspec.structs.replace(
            content,
            value=found.access,
            refresh=found.refresh or content.refresh,
            scope=found.scope or content.scope,
        )
        await wallet.refreshed(held, fresh, found.expires)
        now = await self._look(account)
        if now is None:
            raise self._missing(account)
        return now

    async def _waited(self, account: str, held: Held) -> Held:
        """Another process is at it: take what it gets, or its place when it gives up."""
        wallet, waited = self._means.wallet, 0.0
        while waited < LONGEST:
            await asyncio.sleep(WAIT)
            waited += WAIT
            now = self._token(await wallet.look(self._name, account))
            if now is None:
                raise self._missing(account)
            if now.kept.version != held.kept.version or now.kept.id != held.kept.id:
                return now
            if await wallet.claim(now):
                return await self._exchanged(account, now)
        raise OAuthError("another gateway has been refreshing its token for too long: try again")

    def _endpoint(self, held: Held) -> Endpoint:
        content, oauth = held.content, self._oauth
        means = self._means
        return Endpoint(
            fetch=means.fetch(),
            url=content.token_endpoint,
            issuer=held.kept.issuer,
            client=renewed(oauth, content.client_id, content.method, content.client_secret),
            clock=means.clock,
            ids=means.ids,
            named=named(self._url, oauth),
            key=bound_to(content),
            nonces=means.nonces,
        )

    def _missing(self, account: str, what: str = "", scope: str = "") -> NotConnected:
        shared = account == EVERYBODY
        if shared:
            text = f"the shared account {what or 'is not connected'}"
            text += ": an administrator connects it"
        else:
            text = f"your account there {what or 'is not connected'}"
        return NotConnected(text, shared=shared, scope=scope)

    def _of(self, held: Held) -> Shown:
        account = held.kept.email
        known = self._shown.get(account)
        if known is None or known[0] != held:
            former, means = None if known is None else known[1], self._means
            prover = proving(held.content, means.clock, means.ids, former)
            known = self._shown[account] = (held, shown(held.content, held.kept.id, prover))
        return known[1]
