"""Requests to a token endpoint (RFC 6749), and what comes back."""

import re
from collections.abc import Callable, Mapping

import msgspec

from torhaus.model.fetch import Fetch, Fetched, FetchError
from torhaus.model.texts import filled, marked
from torhaus.upstream.again import NONCES
from torhaus.upstream.oauth.client import Client
from torhaus.upstream.oauth.discovery import OAuthError
from torhaus.upstream.oauth.dpop import NONCE, Key, Nonces
from torhaus.upstream.oauth.platform import lent

EARLY = 30.0
"""Seconds before its end at which a token is no longer used."""
_TOKEN = re.compile(r"[\x21-\x7e]{1,16384}")
_CODE = re.compile(r"[a-z_]{1,64}")
WANTED = NONCE.decode()


_NONE = marked("no token for it: {error}")


class Rejected(OAuthError):  # noqa: N818 -- what the authorization server decided, not a fault
    """The authorization server said no. `code`: its word for why, such as `invalid_grant`."""

    def __init__(self, code: str) -> None:
        super().__init__(filled(marked("the authorization server refused ({code})"), code=code))
        self.code = code


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """`expires`: Unix seconds; None where nothing is said."""

    access: str
    refresh: str = ""
    scope: str = ""
    expires: float | None = None

    def __repr__(self) -> str:
        return "•••"


class Answer(msgspec.Struct):
    """What a token endpoint says yes with (RFC 6749 section 5.1, RFC 8693 section 2.2.1)."""

    access_token: str = ""
    token_type: str = ""
    issued_token_type: str = ""
    id_token: str | None = None
    refresh_token: str | None = None
    scope: str | None = None
    expires_in: int | float | str | None = None
    error: str | None = None


_read = msgspec.json.Decoder(Answer).decode


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """Where tokens come from, for which client. `named`: URLs of the file it stands in.

    `key`: what tokens are bound to (DPoP); None for tokens of whoever has them.
    """

    fetch: Fetch
    url: str
    issuer: str
    client: Client
    clock: Callable[[], float]
    ids: Callable[[], str]
    named: tuple[str, ...] = ()
    key: Key | None = None
    nonces: Nonces = msgspec.field(default_factory=Nonces)

    async def ask(self, form: Mapping[str, str]) -> Tokens:
        """Raises Rejected when it says no, OAuthError when it says nothing of use."""
        now = self.clock()
        return tokens(await self.answer(form), now, bound=self.key is not None)

    async def answer(self, form: Mapping[str, str]) -> Answer:
        """Raises Rejected and OAuthError."""
        now, left = self.clock(), NONCES
        while True:
            reply = await self._asked(form, now)
            nonce = self.nonces.heard(self.url, reply.headers.get("dpop-nonce"))
            found = _read_answer(reply.body)
            wanted = self.key is not None and nonce and found.error == WANTED
            if not wanted or not left:
                return _yes(reply.status, found)
            left -= 1

    async def _asked(self, form: Mapping[str, str], now: float) -> Fetched:
        """Once. What proves who asks is made anew for each time: it counts for one."""
        client = self.client
        text = "" if client.lends is None else await lent(client.lends, now)
        headers, proof = client.proof(self.issuer, self.url, now, self.ids, text)
        sent = {name: value for name, value in {**form, **proof}.items() if value}
        headers = {"Accept": "application/json", **headers}
        if self.key is not None:
            nonce = self.nonces.of(self.url)
            headers["DPoP"] = self.key.proof("POST", self.url, now, self.ids(), nonce=nonce)
        try:
            return await self.fetch.post(self.url, sent, headers, named=self.named)
        except FetchError as error:
            raise OAuthError(filled(_NONE, error=str(error))) from error


def _read_answer(body: bytes) -> Answer:
    try:
        return _read(body)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        return Answer()


def _yes(status: int, found: Answer) -> Answer:
    if status == 200 and not found.error:
        return found
    if found.error and _CODE.fullmatch(found.error):
        raise Rejected(found.error)
    text = marked("the token endpoint answers HTTP {status}")
    raise OAuthError(filled(_NONE, error=filled(text, status=str(status))))


def tokens(found: Answer, now: float, *, bound: bool) -> Tokens:
    """What of an answer can be shown to a server. Raises OAuthError."""
    kind = found.token_type.lower()
    if bound and kind == "bearer":
        # Whoever has it could use it: that is not what was asked for (RFC 9449 section 5).
        text = marked("the one that came is not bound to a key (DPoP)")
        raise OAuthError(filled(_NONE, error=text))
    if not _TOKEN.fullmatch(found.access_token) or kind != ("dpop" if bound else "bearer"):
        text = marked("the token endpoint's answer holds no {kind} token")
        raise OAuthError(filled(_NONE, error=filled(text, kind="DPoP" if bound else "bearer")))
    return Tokens(
        access=found.access_token,
        refresh=usable(found.refresh_token),
        scope=found.scope or "",
        expires=ends(found.expires_in, now),
    )


def usable(found: str | None) -> str:
    """A token that can be sent; empty where there is none."""
    return found if found is not None and _TOKEN.fullmatch(found) else ""


def stale(expires: float | None, got: float, now: float) -> bool:
    """Whether to get another one: shortly before its end, or half-way where it lasts for seconds.

    Else one that lasts no longer than `EARLY` would be got anew for every call.
    """
    return expires is not None and expires - min(EARLY, (expires - got) / 2) <= now


def ends(lasts: float | str | None, now: float) -> float | None:
    try:
        seconds = float(lasts) if lasts is not None else 0.0
    except ValueError:
        seconds = 0.0
    return now + seconds if 0.0 < seconds < 1e10 else None
