"""Tokens for Torhaus's own account at a server (client credentials)."""

import asyncio
from collections.abc import Callable

from torhaus.model.fetch import Fetch
from torhaus.model.servers import OAuthAccess
from torhaus.model.vault import Content
from torhaus.upstream.accounts import Shown
from torhaus.upstream.oauth.client import Client, configured
from torhaus.upstream.oauth.discovery import OAuthError, discover, named
from torhaus.upstream.oauth.dpop import Key, Nonces, chosen
from torhaus.upstream.oauth.platform import lent
from torhaus.upstream.oauth.showing import proving, shown
from torhaus.upstream.oauth.tokens import Endpoint, Rejected, Tokens, stale
from torhaus.upstream.oauth.wellknown import Authority, Challenge

REST = 15.0
"""Seconds for which a refusal is believed: whoever calls again must not ask again each time.

But for the platform's next word, which may be better than the refused one.
"""
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"


class Machine:
    """Owned by one event loop. Nothing of it lasts: a new token costs one request."""

    def __init__(
        self,
        url: str,
        oauth: OAuthAccess,
        fetch: Callable[[], Fetch],
        clock: Callable[[], float],
        ids: Callable[[], str],
        nonces: Nonces,
    ) -> None:
        self._url = url
        self._oauth = oauth
        self._fetch = fetch
        self._clock = clock
        self._ids = ids
        self._nonces = nonces
        self._key: Key | None = None
        self._former: Shown | None = None
        self._tokens: Tokens | None = None
        self._shown: Shown | None = None
        self._getting: asyncio.Task[Shown] | None = None
        self._said = Challenge()
        self._got_at = 0.0
        self._refused: tuple[float, str, dict[str, str]] | None = None

    def at_hand(self) -> Shown | None:
        tokens = self._tokens
        if tokens is None:
            return None
        return None if stale(tokens.expires, self._got_at, self._clock()) else self._shown

    async def fresh(self) -> Shown:
        """One request for all who wait. Raises OAuthError."""
        found = self.at_hand()
        if found is not None:
            return found
        if self._getting is None:
            self._getting = asyncio.ensure_future(self._get())
            self._getting.add_done_callback(self._got)
        return await asyncio.shield(self._getting)

    async def other(self, shown: Shown, said: Challenge) -> Shown:
        """After a refusal: the token that has come meanwhile, or a new one."""
        if shown == self._shown:
            self._tokens = self._shown = None
            self._said = said
        return await self.fresh()

    async def wider(self, said: Challenge) -> Shown | None:
        """A token for the scope that the server asks for; None when this one was got for it."""
        if not said.scope or said.scope == self._said.scope or self._oauth.scopes:
            return None
        self._said = said
        self._tokens = self._shown = None
        return await self.fresh()

    def _got(self, task: "asyncio.Task[Shown]") -> None:
        self._getting = None
        if not task.cancelled():
            task.exception()  # whoever waited has it

    async def _get(self) -> Shown:
        now = self._clock()
        grant = await self._grant(now)
        if self._refused is not None and now < self._refused[0] and grant == self._refused[2]:
            raise Rejected(self._refused[1])
        try:
            self._tokens, self._got_at = await self._granted(grant), now
        except Rejected as error:
            self._refused = (now + REST, error.code, grant)
            raise
        key = "" if self._key is None else self._key.text
        content = Content(value=self._tokens.access, proof_key=key)
        prover = proving(content, self._clock, self._ids, self._former)
        self._shown = self._former = shown(content, prover=prover)
        return self._shown

    async def _granted(self, grant: dict[str, str]) -> Tokens:
        oauth, fetch = self._oauth, self._fetch()
        scopes, resource = oauth.scopes, oauth.resource or self._url
        authority = Authority(
            issuer=oauth.issuer or oauth.token_endpoint, token=oauth.token_endpoint
        )
        asks = self._said.bound
        if not oauth.token_endpoint:
            known = await discover(fetch, self._url, oauth, self._said, machine=True)
            authority, asks = known.authority, known.asks
            scopes = scopes or known.scopes
            resource = oauth.resource or known.resource.resource
        self._bind(authority, asks=asks)
        endpoint = Endpoint(
            fetch=fetch,
            url=authority.token,
            issuer=authority.issuer,
            client=self._client(authority.methods),
            clock=self._clock,
            ids=self._ids,
            named=named(self._url, oauth),
            key=self._key,
            nonces=self._nonces,
        )
        form = {**grant, "scope": " ".join(scopes), "resource": resource}
        return await endpoint.ask({**form, "audience": oauth.audience})

    def _bind(self, authority: Authority, *, asks: bool) -> None:
        """One key for all tokens, where they are to be bound to one. Raises UpstreamError."""
        if not (asks if self._oauth.bound is None else self._oauth.bound):
            self._key = None
        elif self._key is None:
            self._key = Key.fresh(chosen(authority.proofs, authority.issuer))

    def _client(self, methods: tuple[str, ...]) -> Client:
        found = configured(self._oauth, methods)
        if found is None and not self._oauth.federated:
            raise OAuthError("no token for it: the file names no client_id")
        return found or Client(id="")

    async def _grant(self, now: float) -> dict[str, str]:
        """What tokens are asked for with: the client's own word, or the platform's (SEP-1933)."""
        platform = self._oauth.assertion
        if platform is None or not self._oauth.federated:
            return {"grant_type": "client_credentials"}
        return {"grant_type": JWT_BEARER, "assertion": await lent(platform, now)}
