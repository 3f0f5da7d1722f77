"""What is remembered between two pages of a sign-in: kept sealed, found by a token, used once."""

from collections.abc import Callable, Mapping

import msgspec

from torhaus.identity.keys import digest
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.accounts import Leaving
from torhaus.model.desk import Desk

MINUTES = 600.0
"""Seconds a sign-in may take."""


class Errand(msgspec.Struct, frozen=True, kw_only=True):
    """`next`: where he wants to go. `private`: what the provider must remember.

    `invitation`: digest of the link he followed, in hex. `secret`: of a second factor.
    `password`: the hash the account had. `replaces`: the session of `email` in which he has to
    prove once more who he is, and which ends then.
    """

    next: str = ""
    email: str = ""
    private: Mapping[str, str] = {}
    invitation: str = ""
    password: str = ""
    secret: bytes = b""
    replaces: str = ""


_decode = msgspec.json.Decoder(Errand).decode


class Errands:
    """`random(n)`: n random bytes. `clock`: Unix seconds."""

    def __init__(
        self, sealer: Sealer, random: Callable[[int], bytes], clock: Callable[[], float]
    ) -> None:
        self._sealer = sealer
        self._random = random
        self._clock = clock

    def token(self) -> str:
        return self._random(32).hex()

    def leaving(
        self, kind: str, token: str, errand: Errand, browser: bytes = b"", provider: str = ""
    ) -> Leaving:
        now = self._clock()
        return self.lasting(kind, token, errand, now + MINUTES, browser, provider)

    def lasting(
        self,
        kind: str,
        token: str,
        errand: Errand,
        expires: float,
        browser: bytes = b"",
        provider: str = "",
    ) -> Leaving:
        found = digest(token)
        sealed = self._sealer.seal(msgspec.json.encode(errand), _bound(found), expires)
        return Leaving(
            digest=found,
            kind=kind,
            browser=browser,
            provider=provider,
            sealed=sealed.encode(),
            created=self._clock(),
            expires=expires,
        )

    async def look(self, desk: Desk, kind: str, token: str, browser: bytes = b"") -> Errand | None:
        """Without using it up. None when it is used, over, of another kind or another browser."""
        found = await desk.departures.get(digest(token), self._clock()) if _hex(token) else None
        if found is None or found.kind != kind or found.browser != browser:
            return None
        return self.opened(found)

    def opened(self, leaving: Leaving) -> Errand | None:
        try:
            plain = self._sealer.unseal(
                leaving.sealed.decode("ascii"), _bound(leaving.digest), self._clock()
            )
            return _decode(plain)
        except (SealError, msgspec.DecodeError, UnicodeDecodeError):
            return None


def _bound(digest: bytes) -> bytes:
    return binding("departure", digest.hex())


def _hex(token: str) -> bool:
    return len(token) == 64 and all(each in "0123456789abcdef" for each in token)
