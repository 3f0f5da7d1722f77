"""Sign-in with OpenID Connect: authorization code, PKCE, state, nonce, issuer."""

import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from hashlib import sha256
from typing import Any
from urllib.parse import quote_plus, urlencode

import msgspec

from torhaus.identity import oidc
from torhaus.identity.discovery import OFFLINE, OidcMetadata
from torhaus.identity.jose import TokenError, UnknownKeyError
from torhaus.identity.oidc import Expected
from torhaus.model.fetch import Fetch, Fetched, FetchError
from torhaus.model.providers import OidcProvider
from torhaus.model.signin import (
    NOT_AGAIN,
    Arrival,
    Departure,
    Identity,
    LoggedOut,
    SignInError,
    UnaskedError,
)
from torhaus.model.texts import filled, marked
from torhaus.signin.oidc_documents import OidcDocuments

ANEW = "anew"
"""What is kept of a departure for which he has to prove himself once more: its time."""
_DENIED = {
    "access_denied": marked(
        "the sign-in was not finished, or you may not use this application there"
    ),
    "temporarily_unavailable": marked(
        "the identity provider is not available right now: try again later"
    ),
}


class _Tokens(msgspec.Struct, frozen=True):
    """What the token endpoint gives; what else it gives is not used."""

    id_token: str
    access_token: str | None = None
    refresh_token: str | None = None


class OidcSignIn:
    """The ports `Redirecting` and `Parting`, for one provider.

    `keeps`: whether a server lets people in on its word, so that the tokens are needed later.
    """

    def __init__(
        self, provider: OidcProvider, fetch: Fetch, keeps: Callable[[], bool] = lambda: False
    ) -> None:
        self._keeps = keeps
        self.name = provider.name
        self.label = provider.label
        self._provider = provider
        self._fetch = fetch
        self._documents = OidcDocuments(fetch, provider.issuer, provider.label)

    async def depart(
        self, state: str, callback: str, now: float, *, anew: bool = False
    ) -> Departure:
        place = await self._documents.metadata(now)
        nonce, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        challenge = urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=")
        asked = {
            "response_type": "code",
            "client_id": self._provider.client_id,
            "redirect_uri": callback,
            "scope": " ".join(self._scopes(place)),
            "state": state,
            "nonce": nonce,
            "code_challenge": challenge.decode(),
            "code_challenge_method": "S256",
        }
        private = {"nonce": nonce, "verifier": verifier, "issuer": self._provider.issuer}
        if anew:
            asked |= self._again()
            private[ANEW] = str(now)
        return Departure(url=_with(place.authorization, asked), state=state, private=private)

    async def arrive(self, arrival: Arrival, callback: str, now: float) -> Identity:
        place = await self._documents.metadata(now)
        code = self._code(arrival, place)
        kept = arrival.private
        tokens = await self._redeem(place, code, callback, kept.get("verifier", ""))
        claims = await self._proved(tokens, kept.get("nonce", ""), now)
        proved = oidc.proved(claims, now)
        if ANEW in kept:
            proved = self._anew(proved, float(kept[ANEW]), now)
        more = await self._more(place, tokens, claims)
        found = self._identity(claims, more, tokens)
        return msgspec.structs.replace(found, proved=proved)

    async def farewell(self, hint: str, return_to: str, now: float) -> str | None:
        try:
            place = await self._documents.metadata(now)
        except SignInError:
            return None
        if place.end_session is None:
            return None
        said = {"client_id": self._provider.client_id, "post_logout_redirect_uri": return_to}
        return _with(place.end_session, {**said, "id_token_hint": hint} if hint else said)

    async def logged_out(self, token: str, now: float) -> LoggedOut:
        try:
            try:
                return oidc.logout_token(token, await self._expected(now))
            except UnknownKeyError:
                return oidc.logout_token(token, await self._expected(now, newer=True))
        except TokenError as error:
            raise SignInError("this logout token is not valid", f"logout token: {error}") from error

    def _again(self) -> dict[str, str]:
        """OpenID Connect Core 3.1.2.1: with max_age the token has to say auth_time."""
        if self._provider.asks_again:
            return {"prompt": "login", "max_age": "0"}
        return {"prompt": "select_account"}  # a person is there, not a cookie alone

    def _anew(self, proved: float | None, since: float, now: float) -> float:
        """When he has proved who he is since then. Raises SignInError if he has not."""
        if not self._provider.asks_again:
            return now
        if proved is None:
            text = marked(
                "{provider} does not say when you have signed in there: ask an administrator"
            )
            text = filled(text, provider=self.label)
            raise SignInError(text, "the ID token has no auth_time, which max_age asks for")
        if proved < since - oidc.SKEW:
            text = filled(NOT_AGAIN, provider=self.label)
            raise SignInError(text, "auth_time is older than the request, which says prompt=login")
        return proved

    def _code(self, arrival: Arrival, place: OidcMetadata) -> str:
        """The code, from this issuer and no other (RFC 9207)."""
        said = arrival.query
        if arrival.private.get("issuer") != self._provider.issuer:
            raise self._refused("the provider was configured anew meanwhile")
        issuer = said.get("iss")
        if issuer != place.issuer and (issuer is not None or place.says_issuer):
            raise self._refused("the answer comes from another issuer, or does not say from which")
        error = said.get("error")
        if error is not None:
            other = filled(marked("{provider} refused the sign-in"), provider=self.label)
            text = _DENIED.get(error, other)
            raise SignInError(text, f"error={error[:60]!r}")
        code = said.get("code", "")
        if not code:
            raise self._refused("the answer has no code")
        return code

    async def _redeem(
        self, place: OidcMetadata, code: str, callback: str, verifier: str
    ) -> _Tokens:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": callback,
            "code_verifier": verifier,
        }
        headers, proof = self._proof(place)
        try:
            answer = await self._fetch.post(
                place.token,
                {**form, **proof},
                {"Accept": "application/json", **headers},
                named=(self._provider.issuer,),
            )
        except FetchError as error:
            raise self._unavailable(str(error)) from error
        if answer.status != 200:
            raise self._refused(f"the token endpoint answers {_why(answer)}")
        try:
            return msgspec.json.decode(answer.body, type=_Tokens)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._refused("the token endpoint gives no ID token") from error

    def _scopes(self, place: OidcMetadata) -> tuple[str, ...]:
        """With what gets newer ID tokens, where they are needed and the provider knows it."""
        scopes = self._provider.scopes
        wanted = self._keeps() and place.offline and OFFLINE not in scopes
        return (*scopes, OFFLINE) if wanted else scopes

    def _proof(self, place: OidcMetadata) -> tuple[Mapping[str, str], Mapping[str, str]]:
        """(header fields, form fields) with which we prove who we are."""
        client, secret = self._provider.client_id, self._provider.client_secret
        if secret is None:
            return {}, {"client_id": client}
        how = self._provider.client_auth
        if how is None:
            how = next((each for each in ("basic", "post") if each in place.methods), "basic")
        if how == "none":
            return {}, {"client_id": client}
        if how == "post":
            return {}, {"client_id": client, "client_secret": secret.reveal()}
        # Each part is encoded like a form's value first (RFC 6749, section 2.3.1).
        pair = f"{quote_plus(client)}:{quote_plus(secret.reveal())}"
        return {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}, {}

    async def _proved(self, tokens: _Tokens, nonce: str, now: float) -> Mapping[str, Any]:
        if not nonce:
            raise self._refused("nothing is kept of this sign-in")
        try:
            try:
                expected = await self._expected(now)
                return oidc.id_token(tokens.id_token, expected, nonce, tokens.access_token)
            except UnknownKeyError:
                expected = await self._expected(now, newer=True)
                return oidc.id_token(tokens.id_token, expected, nonce, tokens.access_token)
        except TokenError as error:
            raise self._refused(f"ID token: {error}") from error

    async def _expected(self, now: float, *, newer: bool = False) -> Expected:
        documents = self._documents
        keys = await (documents.newer_keys(now) if newer else documents.keys(now))
        return Expected(
            issuer=self._provider.issuer,
            client_id=self._provider.client_id,
            algorithms=self._provider.algorithms,
            keys=keys,
            now=now,
        )

    async def _more(
        self, place: OidcMetadata, tokens: _Tokens, claims: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """What userinfo adds, asked only where the ID token leaves out what we use."""
        mapped = bool(self._provider.terms.groups)
        lacks_groups = mapped and oidc.groups(claims, self._provider.groups_claim) is None
        lacking = lacks_groups or self._provider.email_claim not in claims
        if not lacking or place.userinfo is None or tokens.access_token is None:
            return {}
        headers = {"Accept": "application/json", "Authorization": f"Bearer {tokens.access_token}"}
        named = (self._provider.issuer,)
        try:
            answer = await self._fetch.get(place.userinfo, headers, named=named)
        except FetchError as error:
            raise self._unavailable(str(error)) from error
        if answer.status != 200:
            raise self._refused(f"userinfo answers with HTTP {answer.status}")
        try:
            said = msgspec.json.decode(answer.body)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise self._refused("userinfo is not JSON") from error
        subject = said.get("sub") if isinstance(said, dict) else None
        if not isinstance(subject, str) or not hmac.compare_digest(
            subject.encode(), str(claims["sub"]).encode()
        ):
            raise self._refused("userinfo is about somebody else")
        return dict(said)

    def _identity(
        self, claims: Mapping[str, Any], more: Mapping[str, Any], tokens: _Tokens
    ) -> Identity:
        provider, keeps = self._provider, self._keeps()
        # An address and whether it is verified come from the same document.
        source = claims if provider.email_claim in claims else more
        groups = oidc.groups(claims, provider.groups_claim)
        if groups is None:
            groups = oidc.groups(more, provider.groups_claim) or ()
        session = claims.get("sid")
        return Identity(
            provider=self.name,
            issuer=provider.issuer,
            subject=str(claims["sub"]),
            email=oidc.email(
                source,
                provider.email_claim,
                assume_verified=provider.assume_verified,
                issuer=provider.issuer,
            ),
            name=oidc.name(claims) or oidc.name(more),
            groups=groups,
            session=session if isinstance(session, str) else None,
            id_token_hint=tokens.id_token,
            ends=float(claims["exp"]) if keeps else None,
            refresh=(tokens.refresh_token or "") if keeps else "",
        )

    def _refused(self, detail: str) -> SignInError:
        text = marked("the answer of {provider} proves nothing: sign in again")
        return SignInError(filled(text, provider=self.label), detail)

    def _unavailable(self, detail: str) -> SignInError:
        return UnaskedError(self.label, detail)


def _with(url: str, parameters: Mapping[str, str]) -> str:
    return f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}"


def _why(answer: Fetched) -> str:
    """The error's name, if it is one of a protocol and no text of somebody's."""
    try:
        said = msgspec.json.decode(answer.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        said = None
    name = said.get("error") if isinstance(said, dict) else None
    known = isinstance(name, str) and len(name) < 40 and name.replace("_", "").isalpha()
    return f"HTTP {answer.status} {name}" if known else f"HTTP {answer.status}"
