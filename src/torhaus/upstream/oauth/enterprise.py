"""Callers' accounts at a server that an identity provider vouches for: nobody connects anything.

Enterprise-managed authorization of MCP (SEP-990).
"""

import asyncio
from collections.abc import Callable

import msgspec

from torhaus.model.fetch import Fetch
from torhaus.model.ports import NotConnected, StateError, UpstreamError
from torhaus.model.providers import OidcProvider
from torhaus.model.servers import OAuthAccess
from torhaus.model.vault import Content, Held, Kept, VaultKind, Wallet
from torhaus.upstream.accounts import Shown
from torhaus.upstream.looking import looked
from torhaus.upstream.oauth import wellknown
from torhaus.upstream.oauth.client import NONE, Client, configured
from torhaus.upstream.oauth.discovery import Known, discover, named
from torhaus.upstream.oauth.dpop import Nonces
from torhaus.upstream.oauth.machine import JWT_BEARER
from torhaus.upstream.oauth.showing import bound_to, proving, shown
from torhaus.upstream.oauth.tokens import Endpoint, Rejected, Tokens, stale
from torhaus.upstream.oauth.vouching import Vouching, Wish, Word
from torhaus.upstream.oauth.wellknown import Challenge

REST = 15.0
"""Seconds for which a refusal is believed: whoever calls again must not ask again each time."""


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """`clock`: Unix seconds. `ids`: fresh ids. `provider`: one of the file, None without it."""

    wallet: Wallet
    fetch: Callable[[], Fetch]
    clock: Callable[[], float]
    ids: Callable[[], str]
    nonces: Nonces = msgspec.field(default_factory=Nonces)
    provider: Callable[[str], OidcProvider | None] = lambda _: None


class Enterprise:
    """Owned by one event loop. One exchange serves all who wait for the same person's token."""

    def __init__(self, server: str, url: str, oauth: OAuthAccess, means: Means) -> None:
        self._server = server
        self._url = url
        self._oauth = oauth
        self._means = means
        self._vouching: Vouching | None = None
        self._getting: dict[str, asyncio.Task[Shown]] = {}
        self._shown: dict[str, tuple[Held, Shown]] = {}
        self._said: dict[str, Challenge] = {}
        self._renewed: dict[str, tuple[str, int]] = {}
        self._refused: dict[str, tuple[float, NotConnected]] = {}

    def at_hand(self, account: str) -> Shown | None:
        found = self._means.wallet.known(self._server, account)
        held = None if found is None else self._token(found)
        return None if held is None or self._stale(held) else self._of(held)

    async def present(self, account: str) -> Shown:
        """Raises NotConnected and UpstreamError."""
        held = await self._look(account)
        if held is not None and not self._stale(held):
            return self._of(held)
        return await self._fresh(account)

    async def other(self, account: str, former: Shown, said: Challenge) -> Shown:
        """After a refusal: the token that has come meanwhile, or a new one, once."""
        held = await self._look(account)
        if held is not None and self._of(held) != former:
            return self._of(held)
        if held is not None and self._renewed.get(account) == (held.kept.id, held.kept.version):
            text = "it does not accept what its authorization server gives: ask an administrator"
            raise NotConnected(text, barred=True)
        self._said[account] = said
        found = await self._fresh(account)
        after = await self._look(account)
        if after is not None:
            self._renewed[account] = (after.kept.id, after.kept.version)
        return found

    async def wider(self, account: str, said: Challenge) -> Shown | None:
        """A token for what the server asks for besides; None when this one was got for it."""
        held = await self._look(account)
        had = [] if held is None else held.content.scope.split()
        before = self._said.get(account, Challenge()).scope
        if self._oauth.scopes or set(said.scope.split()) <= set(had) or said.scope == before:
            return None
        self._said[account] = said
        return await self._fresh(account)

    # -- tokens --------------------------------------------------------------------------------

    async def _look(self, account: str) -> Held | None:
        return self._token(await looked(self._means.wallet, self._server, account))

    def _token(self, found: tuple[Held, ...]) -> Held | None:
        """One that came of the provider's word, as the file wants it by now."""
        return next((each for each in found if self._fits(each)), None)

    def _fits(self, held: Held) -> bool:
        kept, content, oauth = held.kept, held.content, self._oauth
        if kept.kind is not VaultKind.OAUTH_ENTERPRISE or kept.name != oauth.provider:
            return False
        if kept.issuer != oauth.issuer or content.client_id != oauth.client_id:
            return False
        if oauth.bound and not content.proof_key:
            return False
        named, of = oauth.resource, content.resource
        return of == named if named else wellknown.covers(of, self._url)

    def _stale(self, held: Held) -> bool:
        return stale(held.kept.expires, held.kept.rotated, self._means.clock())

    def _of(self, held: Held) -> Shown:
        account = held.kept.email
        known = self._shown.get(account)
        if known is None or known[0] != held:
            former, means = None if known is None else known[1], self._means
            prover = proving(held.content, means.clock, means.ids, former)
            known = self._shown[account] = (held, shown(held.content, held.kept.id, prover))
        return known[1]

    # -- getting one ---------------------------------------------------------------------------

    async def _fresh(self, account: str) -> Shown:
        """By one task for all callers, which goes on although they hang up."""
        refused = self._refused.get(account)
        if refused is not None and self._means.clock() < refused[0]:
            raise NotConnected(str(refused[1]), barred=True)
        task = self._getting.get(account)
        if task is None:
            task = asyncio.ensure_future(self._get(account))
            self._getting[account] = task
            task.add_done_callback(lambda done: self._got(account, done))
        return await asyncio.shield(task)

    def _got(self, account: str, task: "asyncio.Task[Shown]") -> None:
        self._getting.pop(account, None)
        error = None if task.cancelled() else task.exception()  # whoever waited has it
        self._refused.pop(account, None)
        if isinstance(error, NotConnected) and error.barred:
            self._refused[account] = (self._means.clock() + REST, error)

    async def _get(self, account: str) -> Shown:
        oauth, means = self._oauth, self._means
        vouching, now = self._provider(), means.clock()
        await vouching.held(account)  # before anybody is asked for somebody who is not there
        said = self._said.get(account, Challenge())
        known = await discover(means.fetch(), self._url, oauth, said, machine=True)
        client = configured(oauth, known.authority.methods) or Client(id="", method=NONE)
        former = await self._look(account)
        endpoint = self._endpoint(known, client, former)
        wish = Wish(
            audience=known.authority.issuer,
            resource=oauth.resource or known.resource.resource,
            client_id=client.id,
            scope=" ".join(oauth.scopes or known.scopes),
        )
        word = await vouching.word(account, wish)
        try:
            tokens = await self._granted(endpoint, word, wish)
        except Rejected as error:
            if error.code != "invalid_grant":
                raise self._barred(error, known) from error
            tokens = await self._again(vouching, account, wish, endpoint, known)
        return await self._kept(account, word, tokens, wish, endpoint, now)

    async def _again(
        self, vouching: Vouching, account: str, wish: Wish, endpoint: Endpoint, known: Known
    ) -> Tokens:
        """The word may have been too old, or used up on the way: another one, once."""
        try:
            return await self._granted(endpoint, await vouching.word(account, wish), wish)
        except Rejected as error:
            raise self._barred(error, known) from error

    async def _granted(self, endpoint: Endpoint, word: Word, wish: Wish) -> Tokens:
        form = {"grant_type": JWT_BEARER, "assertion": word.assertion}
        return await endpoint.ask({**form, "scope": wish.scope, "resource": wish.resource})

    def _endpoint(self, known: Known, client: Client, former: Held | None) -> Endpoint:
        """With the key that this person's tokens there are bound to, where they are."""
        means, oauth = self._means, self._oauth
        key = None
        if known.bound(oauth):
            before = None if former is None else bound_to(former.content)
            key = known.key(oauth) if before is None else before
        return Endpoint(
            fetch=means.fetch(),
            url=known.authority.token,
            issuer=known.authority.issuer,
            client=client,
            clock=means.clock,
            ids=means.ids,
            named=named(self._url, oauth),
            key=key,
            nonces=means.nonces,
        )

    async def _kept(
        self,
        account: str,
        word: Word,
        tokens: Tokens,
        wish: Wish,
        endpoint: Endpoint,
        now: float,
    ) -> Shown:
        content = Content(
            value=tokens.access,
            scope=tokens.scope or wish.scope,
            client_id=wish.client_id,
            resource=wish.resource,
            proof_key="" if endpoint.key is None else endpoint.key.text,
        )
        kept = Kept(
            id=self._means.ids(),
            server=self._server,
            email=account,
            name=self._oauth.provider,
            kind=VaultKind.OAUTH_ENTERPRISE,
            key_id="",
            sealed=b"",
            issuer=wish.audience,
            created=now,
            created_by=account,
            rotated=now,
            expires=tokens.expires,
        )
        try:
            if not await self._means.wallet.exchanged(word.of, Held(kept, content)):
                raise NotConnected("your sign-in has ended meanwhile", provider=kept.name)
        except StateError as error:
            raise UpstreamError(str(error)) from error
        held = await self._look(account)
        if held is None:
            raise UpstreamError("its token was taken away as it came: call again")
        return self._of(held)

    def _provider(self) -> Vouching:
        provider, means = self._means.provider(self._oauth.provider), self._means
        if provider is None:
            raise UpstreamError(f"there is no identity provider {self._oauth.provider}")
        if self._vouching is None or self._vouching.provider != provider:
            self._vouching = Vouching(provider, means.wallet, means.fetch, means.clock, means.ids)
        return self._vouching

    def _barred(self, error: Rejected, known: Known) -> NotConnected:
        provider = self._means.provider(self._oauth.provider)
        label = self._oauth.provider if provider is None else provider.label
        text = (
            f"{known.authority.issuer[:200]} does not take {label}'s word for you "
            f"({error.code}): ask an administrator"
        )
        return NotConnected(text, barred=True)
