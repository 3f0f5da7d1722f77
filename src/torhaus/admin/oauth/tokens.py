"""The token endpoint's work: minting, asking through the one door, and telling the same again."""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from torhaus.admin.acts import Refusal
from torhaus.admin.oauth.acts import (
    Claim,
    Denied,
    ExchangeCode,
    Issued,
    Pair,
    RefreshTokens,
    RevokeToken,
)
from torhaus.admin.oauth.issuing import INVALID, misfit, over
from torhaus.admin.oauth.successor import NONCE, Successor, seal, unseal
from torhaus.admin.people.halted import halted
from torhaus.admin.perform import Admin, Judge
from torhaus.identity.keys import ACCESS, RANDOM_BYTES, REFRESH, digest, mint, well_formed
from torhaus.model.credentials import Family
from torhaus.model.desk import Office
from torhaus.model.oauth import AuthorizationServer, Client
from torhaus.model.people import Principal
from torhaus.model.rules import Rules


class Tokened(msgspec.Struct, frozen=True, kw_only=True):
    """What the client gets. `seconds`: until the access token is over.

    `refresh`: empty where there is none.
    """

    access: str
    refresh: str
    seconds: int
    audience: str


def told(access: str, refresh: str, issued: Issued, now: float) -> Tokened:
    seconds = max(0, int(issued.expires - now))
    return Tokened(access=access, refresh=refresh, seconds=seconds, audience=issued.audience)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """`random(n)`: n random bytes.

    `unknown`: told of the address that sent what is not known, and why it was refused.
    """

    admin: Admin
    office: Office
    rules: Callable[[], Rules]
    server: Callable[[], AuthorizationServer]
    clock: Callable[[], float]
    random: Callable[[int], bytes]
    unknown: Callable[[str, str], None] = lambda _ip, _reason: None

    async def exchange(self, code: str, claim: Claim, client: Client, ip: str) -> Tokened | Denied:
        """Raises StateError and LedgerError."""
        if not code.isascii():
            return self._strange(ip, "the code is not known: begin again")
        named = digest(code)
        async with self.office.read() as desk:
            found = await desk.codes.get(named)
            family = None if found is None else await desk.families.get(found.family)
            halt = None if family is None else await halted(desk, family.email, self.clock())
        if found is None or family is None:
            return self._strange(ip, "the code is not known: begin again")
        access, refresh, pair = self._pair()
        act = ExchangeCode(code=named, client=client, claim=claim, pair=pair, ip=ip)
        if found.used is None:
            refused = await self._refused(
                family, lambda scene: misfit(found, family, act, halt, scene), ip
            )
            if refused is not None:
                return refused
        issued = await self._perform(family.email, act, ip)
        return issued if isinstance(issued, Denied) else self._told(access, refresh, issued)

    async def refresh(
        self, token: str, audience: str | None, client: Client, ip: str
    ) -> Tokened | Denied:
        """Raises StateError and LedgerError."""
        if not well_formed(token, REFRESH):
            return self._strange(ip, "this is not a refresh token of ours")
        named = digest(token)
        async with self.office.read() as desk:
            known = await desk.refreshes.get(named)
            family = None if known is None else await desk.families.get(known.family)
            halt = None if family is None else await halted(desk, family.email, self.clock())
        if known is None or family is None:
            return self._strange(ip, "the refresh token is not known: sign in again")
        access, fresh, pair = self._pair()
        whole = family.audience or ""
        expires = min(self.clock() + self.server().access, family.expires)
        new = Successor(
            access=access,
            refresh=fresh,
            audience=whole if audience is None else audience,
            expires=expires,
        )
        act = RefreshTokens(
            refresh=named,
            client=client,
            audience=audience,
            pair=pair,
            successor=seal(token, new, self.random(NONCE)),
            ip=ip,
        )
        refused = await self._refused(
            family, lambda scene: over(known, family, act, halt, scene), ip
        )
        if refused is not None:
            return refused
        found = await self._perform(family.email, act, ip)
        if isinstance(found, Denied):
            return found
        if found.successor is None:
            return self._told(access, fresh, found)
        return self._again(token, found)

    async def revoke(self, token: str, client: Client | None, ip: str) -> None:
        """Whatever it was, it is over. Raises StateError and LedgerError.

        `client`: who asks, where it has said so; nobody ends what another was given.
        """
        refresh = well_formed(token, REFRESH)
        if not refresh and not well_formed(token, ACCESS):
            return
        named = digest(token)
        async with self.office.read() as desk:
            if refresh:
                found = await desk.refreshes.get(named)
                family = None if found is None else await desk.families.get(found.family)
            else:
                kept = await desk.credentials.get(named)
                family = None if kept is None else await desk.families.get(kept.credential.family)
        if family is None or (client is not None and client.id != family.client_id):
            return
        await self.admin.perform(self._who(family.email), RevokeToken(named, refresh), ip)

    async def _refused(self, family: Family, judge: Judge, ip: str) -> Denied | None:
        """By what was just read: who has no access waits for nobody who writes."""
        refusal = await self.admin.refused(self._who(family.email), judge, ip)
        return None if refusal is None else Denied(refusal.code, refusal.reason)

    async def _perform(
        self, email: str, act: ExchangeCode | RefreshTokens, ip: str
    ) -> Issued | Denied:
        done = await self.admin.perform(self._who(email), act, ip)
        if isinstance(done, Refusal):
            return Denied(done.code, done.reason)
        result: Issued | Denied = done.result
        return result

    def _who(self, email: str) -> Principal:
        """As the rules know him; without any right where they do not."""
        return self.rules().principals.get(email) or Principal(id=email, email=email)

    def _again(self, token: str, found: Issued) -> Tokened | Denied:
        pair = None if found.successor is None else unseal(token, found.successor)
        if pair is None:
            return Denied(INVALID, "the refresh token was used already: sign in again")
        if pair.audience != found.audience:
            return Denied("invalid_target", "the refresh token was used for another server")
        issued = msgspec.structs.replace(found, expires=pair.expires)
        return self._told(pair.access, pair.refresh, issued)

    def _told(self, access: str, refresh: str, issued: Issued) -> Tokened:
        return told(access, refresh, issued, self.clock())

    def _pair(self) -> tuple[str, str, Pair]:
        access = mint(self.random(RANDOM_BYTES), ACCESS)
        refresh = mint(self.random(RANDOM_BYTES), REFRESH)
        pair = Pair(
            access=digest(access), refresh=digest(refresh), id="tok_" + self.random(10).hex()
        )
        return access, refresh, pair

    def _strange(self, ip: str, text: str) -> Denied:
        """Counted, not recorded one by one: anybody can send anything."""
        self.unknown(ip, text)
        return Denied(INVALID, text)
