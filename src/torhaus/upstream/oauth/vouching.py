"""What an identity provider says of people, exchanged for its word to authorization servers.

Enterprise-managed authorization of MCP (SEP-990): RFC 8693 at the provider, with the ID token or
refresh token of the sign-in here, draft-ietf-oauth-identity-assertion-authz-grant.
"""

import asyncio
from collections.abc import Callable
from typing import NoReturn

import msgspec

from torhaus.identity.discovery import MetadataError, OidcMetadata, location, metadata
from torhaus.identity.jose import TokenError, claimed
from torhaus.identity.oauth.idjag import Given, fitting
from torhaus.model.fetch import Fetch, FetchError
from torhaus.model.ports import NotConnected, StateError, UpstreamError
from torhaus.model.providers import OidcProvider
from torhaus.model.vault import Held, VaultKind, Wallet, identity_of
from torhaus.upstream.oauth.client import BASIC, POST, Client
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.tokens import Answer, Endpoint, Rejected, stale, usable

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
_TYPE = "urn:ietf:params:oauth:token-type:"
ID_JAG, ID_TOKEN, REFRESH_TOKEN = f"{_TYPE}id-jag", f"{_TYPE}id_token", f"{_TYPE}refresh_token"
LIFETIME = 3600.0
"""Seconds until a provider's metadata is fetched anew."""
WAIT, LONGEST = 0.25, 40.0
"""Seconds between two looks, and in all, for what somebody else renews."""
SIGN_IN_AGAIN = (
    "invalid_grant",
    "insufficient_user_authentication",
    "login_required",
    "interaction_required",
    "consent_required",
)
"""Answers of a provider that end with the person before it: RFC 6749, RFC 9470, OpenID Connect."""


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """For which authorization server, server and client the provider's word is wanted."""

    audience: str
    resource: str
    client_id: str
    scope: str


class Word(msgspec.Struct, frozen=True):
    """`assertion`: the ID-JAG. `of`: what of the person it came from."""

    assertion: str
    of: Held

    def __repr__(self) -> str:
        return "•••"


class Vouching:
    """One identity provider. Owned by one event loop. `clock`: Unix seconds."""

    def __init__(
        self,
        provider: OidcProvider,
        wallet: Wallet,
        fetch: Callable[[], Fetch],
        clock: Callable[[], float],
        ids: Callable[[], str],
    ) -> None:
        self.provider = provider
        self._wallet = wallet
        self._fetch = fetch
        self._clock = clock
        self._ids = ids
        self._known: tuple[float, OidcMetadata] | None = None

    async def word(self, email: str, wish: Wish) -> Word:
        """Raises NotConnected where the person has to sign in, or where he is not let in there.

        Raises UpstreamError where the provider cannot be asked, or answers with nothing of use.
        """
        held = await self.held(email)
        held = await self._fresh(held) if self._ended(held) else held
        try:
            return await self._exchanged(held, wish)
        except Rejected as error:
            if error.code != "invalid_grant" or not held.content.refresh:
                self._refused(error)
        # It may have ended the ID token's session before its time.
        try:
            return await self._exchanged(await self._fresh(held), wish)
        except Rejected as error:
            self._refused(error)

    # -- what is known of the person -----------------------------------------------------------

    async def held(self, email: str) -> Held:
        """Raises NotConnected where nothing is known, and UpstreamError."""
        found = self._wallet.known(identity_of(self.provider.name), email)
        # Who was told to sign in comes back at once: that there was nothing is no answer any more.
        return self._his(found) if found else await self._asked(email)

    async def _asked(self, email: str) -> Held:
        try:
            return self._his(await self._wallet.look(identity_of(self.provider.name), email))
        except StateError as error:
            raise UpstreamError(str(error)) from error

    def _his(self, found: tuple[Held, ...]) -> Held:
        mine = [each for each in found if each.kept.kind is VaultKind.IDENTITY]
        held = next((each for each in mine if each.kept.issuer == self.provider.issuer), None)
        if held is None:
            raise self._missing("you have not signed in with")
        return held

    def _ended(self, held: Held) -> bool:
        """Whether there is an ID token that has. Without one its refresh token is exchanged."""
        kept = held.kept
        return bool(held.content.value) and stale(kept.expires, kept.rotated, self._clock())

    async def _fresh(self, held: Held) -> Held:
        """With a newer ID token, by one process alone: refresh tokens may count once."""
        if not held.content.refresh:
            raise self._missing("your sign-in has ended with")
        try:
            if await self._wallet.claim(held):
                return await self._renewed(held)
            return await self._waited(held)
        except StateError as error:
            raise UpstreamError(str(error)) from error

    async def _waited(self, held: Held) -> Held:
        """Somebody else is at it, for another server or in another process."""
        waited = 0.0
        while waited < LONGEST:
            await asyncio.sleep(WAIT)
            waited += WAIT
            now = await self._asked(held.kept.email)
            if (now.kept.id, now.kept.version) != (held.kept.id, held.kept.version):
                return now
            if await self._wallet.claim(now):
                return await self._renewed(now)
        raise self._useless("your sign-in there is being renewed for too long")

    async def _renewed(self, held: Held) -> Held:
        form = {"grant_type": "refresh_token", "refresh_token": held.content.refresh}
        try:
            found = await (await self._endpoint()).answer(form)
            token, expires = self._of_him(found, held)
        except Rejected as error:
            await self._wallet.failed(held, str(error))
            raise self._missing("your sign-in has ended with") from error
        except UpstreamError as error:
            await self._wallet.failed(held, str(error))
            raise
        refresh = usable(found.refresh_token) or held.content.refresh
        content = msgspec.structs.replace(held.content, value=token, refresh=refresh)
        await self._wallet.refreshed(held, content, expires)
        return await self._asked(held.kept.email)

    def _of_him(self, found: Answer, held: Held) -> tuple[str, float | None]:
        """A newer ID token and its end; empty where none came. Raises OAuthError.

        It has to be about the same person: OpenID Connect Core, section 12.2.
        """
        token = usable(found.id_token)
        if not token:
            return "", None
        try:
            claims = claimed(token)
        except TokenError as error:
            raise self._useless("its ID token cannot be read") from error
        theirs = (claims.get("iss"), claims.get("sub"))
        if theirs != (self.provider.issuer, held.kept.account):
            raise self._useless("its newer ID token is about somebody else")
        ends = claims.get("exp")
        return token, float(ends) if isinstance(ends, int | float) else None

    # -- the exchange --------------------------------------------------------------------------

    async def _exchanged(self, held: Held, wish: Wish) -> Word:
        """Raises Rejected, and OAuthError where what comes is not what was asked for."""
        content, now = held.content, self._clock()
        form = {
            "grant_type": EXCHANGE,
            "requested_token_type": ID_JAG,
            "subject_token": content.value or content.refresh,
            "subject_token_type": ID_TOKEN if content.value else REFRESH_TOKEN,
            "audience": wish.audience,
            "resource": wish.resource,
            "scope": wish.scope,
        }
        found = await (await self._endpoint()).answer(form)
        # Section 4.3.4 of the draft: the name of the field is of old, it is no access token.
        if found.issued_token_type != ID_JAG or found.token_type.lower() != "n_a":
            raise self._useless("it gives another token than the one asked for")
        given = Given(
            issuer=self.provider.issuer,
            audience=wish.audience,
            resource=wish.resource,
            client_id=wish.client_id,
            now=now,
        )
        assertion = usable(found.access_token)
        try:
            fitting(assertion, given)
        except TokenError as error:
            raise self._useless(f"what it says cannot be used: {error}") from error
        return Word(assertion, held)

    async def _endpoint(self) -> Endpoint:
        provider, place = self.provider, await self._metadata()
        secret = provider.client_secret
        how = provider.client_auth or ("post" if "basic" not in place.methods else "basic")
        return Endpoint(
            fetch=self._fetch(),
            url=place.token,
            issuer=provider.issuer,
            client=Client(
                id=provider.client_id,
                method=POST if how == "post" else BASIC,
                secret="" if secret is None else secret.reveal(),
            ),
            clock=self._clock,
            ids=self._ids,
            named=(provider.issuer,),
        )

    async def _metadata(self) -> OidcMetadata:
        now, issuer = self._clock(), self.provider.issuer
        if self._known is not None and 0 <= now - self._known[0] < LIFETIME:
            return self._known[1]
        try:
            reply = await self._fetch().get(location(issuer), _JSON, named=(issuer,))
            if reply.status != 200:
                raise self._useless(f"its metadata answers HTTP {reply.status}")
            found = metadata(reply.body, issuer)
        except (FetchError, MetadataError) as error:
            raise self._useless(str(error)) from error
        self._known = (now, found)
        return found

    # -- what people read ----------------------------------------------------------------------

    def _refused(self, error: Rejected) -> NoReturn:
        if error.code in SIGN_IN_AGAIN:
            raise self._missing("your sign-in is not enough any more at") from error
        text = (
            f"{self.provider.label} does not let you in there ({error.code}): ask an administrator"
        )
        raise NotConnected(text, barred=True) from error

    def _missing(self, what: str) -> NotConnected:
        return NotConnected(f"{what} {self.provider.label}", provider=self.provider.name)

    def _useless(self, why: str) -> OAuthError:
        return OAuthError(f"{self.provider.label} cannot vouch for you right now: {why}")


_JSON = {"Accept": "application/json"}
