"""What an OpenID provider publishes: its metadata and its keys, kept for a while."""

import asyncio

import msgspec

from torhaus.identity.discovery import MetadataError, OidcMetadata, location, metadata
from torhaus.identity.jose import VerificationKey, verification_keys
from torhaus.model.fetch import Fetch, FetchError
from torhaus.model.signin import SignInError, UnaskedError

LIFETIME = 3600.0
"""Seconds until documents are fetched anew: so long a withdrawn key may still count."""
REST = 5.0
"""Seconds a provider that could not be asked is left alone, so that many need not wait in turn."""
PAUSE = 60.0
"""Seconds between two looks for a key that is missing, whatever tokens come."""

Keys = tuple[VerificationKey, ...]


class OidcDocuments:
    """Of one issuer. What the administrator named is the issuer; all else must be public.

    `now` is Unix seconds. Raises SignInError when the provider cannot be reached.
    """

    def __init__(self, fetch: Fetch, issuer: str, label: str) -> None:
        self._fetch = fetch
        self._issuer = issuer
        self._label = label
        self._turn = asyncio.Lock()
        self._metadata: tuple[float, OidcMetadata] | None = None
        self._keys: tuple[float, Keys] | None = None
        self._failed: tuple[float, SignInError] | None = None

    async def metadata(self, now: float) -> OidcMetadata:
        async with self._turn:
            if self._metadata is None or not 0 <= now - self._metadata[0] < LIFETIME:
                body = await self._body(location(self._issuer), now)
                try:
                    self._metadata = (now, metadata(body, self._issuer))
                except MetadataError as error:
                    raise self._wrong(str(error)) from error
            return self._metadata[1]

    async def keys(self, now: float) -> Keys:
        """Those of the last hour."""
        return await self._recent(now, LIFETIME)

    async def newer_keys(self, now: float) -> Keys:
        """Those of the last minute: a token is signed with one that was not there."""
        return await self._recent(now, PAUSE)

    async def _recent(self, now: float, most: float) -> Keys:
        place = (await self.metadata(now)).keys
        async with self._turn:
            if self._keys is None or not 0 <= now - self._keys[0] < most:
                body = await self._body(place, now)
                try:
                    found = verification_keys(msgspec.json.decode(body))
                except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
                    raise self._wrong("its keys are not JSON") from error
                self._keys = (now, found)
            return self._keys[1]

    async def _body(self, url: str, now: float) -> bytes:
        """Raises SignInError, for a while without asking again."""
        if self._failed is not None and now - self._failed[0] < REST:
            raise self._wrong(self._failed[1].detail)
        try:
            return await self._fetched(url)
        except SignInError as error:
            self._failed = (now, error)
            raise

    async def _fetched(self, url: str) -> bytes:
        try:
            fetched = await self._fetch.get(
                url, {"Accept": "application/json"}, named=(self._issuer,)
            )
        except FetchError as error:
            raise self._wrong(str(error)) from error
        if fetched.status != 200:
            raise self._wrong(f"its documents answer with HTTP {fetched.status}")
        return fetched.body

    def _wrong(self, detail: str) -> SignInError:
        return UnaskedError(self._label, detail)
