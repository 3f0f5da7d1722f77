"""Tokens for codes and for refresh tokens; what comes twice ends everything it gave."""

from collections.abc import Awaitable, Callable
from typing import Any

from torhaus.admin.acts import Burnt, Effect, Refusal, Scene
from torhaus.admin.oauth.acts import GRACE, Denied, ExchangeCode, Issued, Pair, RefreshTokens
from torhaus.admin.oauth.facts import denied, family_facts, reuse
from torhaus.admin.people.crowding import room_for_token
from torhaus.admin.people.halted import halted
from torhaus.audit.acts import HOUSE, Act
from torhaus.identity.oauth import pkce
from torhaus.identity.oauth.resources import AGGREGATE
from torhaus.model.credentials import Credential, CredentialKind, Family
from torhaus.model.desk import Desk
from torhaus.model.oauth import AuthorizationServer, Code, Refresh
from torhaus.policy.approvers import active

ISSUED, REFRESHED, REUSED = "token.issued", "token.refreshed", "token.reused"
INVALID = "invalid_grant"
Server = Callable[[], AuthorizationServer]


Exchanging = Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal | Burnt]]


def exchanging(server: Server) -> Exchanging:
    async def exchange_code(
        desk: Desk, scene: Scene, act: ExchangeCode
    ) -> Effect | Refusal | Burnt:
        code = await desk.codes.get(act.code)
        family = None if code is None else await desk.families.get(code.family)
        if code is None or family is None:
            return denied(ISSUED, INVALID, "this code is not known", {})
        facts = family_facts(family, code.audience)
        if code.used is not None:
            return await _end(desk, scene, family, "code")
        refusal = misfit(code, family, act, await halted(desk, family.email, scene.now), scene)
        if refusal is not None:
            return refusal
        audience = narrowed(code.audience, act.claim.audience)
        if audience is None:
            return denied(ISSUED, "invalid_target", "the consent is for another server", facts)
        if not await desk.codes.use(act.code, scene.now):
            return await _end(desk, scene, family, "code")
        ends = family.created + server().longest
        issue = _Issue(scene, act.pair, audience, ends, act.ip)
        given = await issue.give(desk, family, server())
        if given is None:
            return Burnt(denied(ISSUED, INVALID, "the consent has ended", facts))
        if act.client.kind == "registered":
            await desk.clients.use(act.client.id, scene.now)
        return issue.effect(given, ISSUED, family)

    return exchange_code


def refreshing(server: Server) -> Callable[[Desk, Scene, Any], Awaitable[Effect | Refusal]]:
    async def refresh_tokens(desk: Desk, scene: Scene, act: RefreshTokens) -> Effect | Refusal:
        found = await desk.refreshes.get(act.refresh)
        family = None if found is None else await desk.families.get(found.family)
        if found is None or family is None:
            return denied(REFRESHED, INVALID, "this refresh token is not known", {})
        whole = family.audience or AGGREGATE
        facts = family_facts(family, whole)
        refusal = over(found, family, act, await halted(desk, family.email, scene.now), scene)
        if refusal is not None:
            return refusal
        audience = narrowed(whole, act.audience)
        if audience is None:
            return denied(REFRESHED, "invalid_target", "the consent is for another server", facts)
        if found.used is None and await desk.refreshes.use(act.refresh, act.successor, scene.now):
            issue = _Issue(scene, act.pair, audience, family.expires, act.ip)
            given = await issue.give(desk, family, server())
            if given is None:
                return denied(REFRESHED, INVALID, "the consent has ended", facts)
            return issue.effect(given, REFRESHED, family)
        again = await desk.refreshes.get(act.refresh)  # another has just used it, or long ago
        if again is None or again.used is None or again.successor is None:
            return await _end(desk, scene, family, "refresh token")
        if scene.now - again.used > GRACE:
            return await _end(desk, scene, family, "refresh token")
        retry = Issued(audience=audience, expires=0.0, successor=again.successor)
        told = Act(operation=REFRESHED, facts={**facts, "retry": True})
        return Effect(result=retry, act=told, rule="own consent")

    return refresh_tokens


def narrowed(agreed: str, asked: str | None) -> str | None:
    """What a token may be for; None where more is asked than was agreed to."""
    if asked is None or asked == agreed:
        return agreed
    return asked if agreed == AGGREGATE else None


def misfit(
    code: Code, family: Family, act: ExchangeCode, halt: str | None, scene: Scene
) -> Refusal | None:
    """Whether this client may not have what an unused code is for. `halt`: why its owner may not.

    Pure, so that it is known before there is a turn to write, and looked at again then.
    """
    wrong = _unfit(code, act, scene) or gone(scene) or halt
    if wrong is None:
        return None
    return denied(ISSUED, INVALID, wrong, family_facts(family, code.audience))


def over(
    found: Refresh, family: Family, act: RefreshTokens, halt: str | None, scene: Scene
) -> Refusal | None:
    """Whether a refresh token gives nothing to this client any more. As `misfit`."""
    wrong = _past(found, family, act, scene) or gone(scene) or halt
    if wrong is None:
        return None
    return denied(REFRESHED, INVALID, wrong, family_facts(family, family.audience or AGGREGATE))


def _unfit(code: Code, act: ExchangeCode, scene: Scene) -> str | None:
    if code.client_id != act.client.id:
        return "the code was given to another client"
    if code.expires <= scene.now:
        return "the code has expired"
    if act.claim.redirect_uri not in (None, code.redirect_uri):
        return "redirect_uri is not the one the code was sent to"
    if not pkce.proves(act.claim.verifier, code.challenge):
        return "code_verifier does not match the code_challenge"
    return None


def _past(found: Refresh, family: Family, act: RefreshTokens, scene: Scene) -> str | None:
    if family.client_id != act.client.id:
        return "the refresh token was given to another client"
    if family.ended is not None or min(family.expires, found.expires) <= scene.now:
        return "the consent has ended: sign in again"
    return None


def gone(scene: Scene) -> str | None:
    """Why nobody gets anything in the name of the actor any more; None while he may call."""
    known = scene.rules.principals.get(scene.actor.id)
    fine = known is not None and active(known, scene.now)
    return None if fine else "the access of this person has ended"


async def _end(desk: Desk, scene: Scene, family: Family, what: str) -> Effect:
    """Of two who have it, one has no right to it, and nobody can tell which (RFC 9700 4.14.2)."""
    reason = f"a {what} was used a second time"
    ended = await desk.families.end(family.id, HOUSE.email, reason, scene.now)
    first = family.ended is None
    return Effect(
        result=Denied(INVALID, f"{reason}: everything this consent gave has ended"),
        act=Act(
            operation=REUSED,
            facts=family_facts(family, family.audience or AGGREGATE),
            before={"tokens": len(ended)},
            after={"tokens": 0},
        ),
        rule="reuse",
        news=(reuse(family, scene, what),) if first else (),
        ended=ended,
    )


class _Issue:
    """One pair on its way into the database. `ends`: when the whole consent is over."""

    def __init__(self, scene: Scene, pair: Pair, audience: str, ends: float, ip: str) -> None:
        self._scene, self._pair, self._audience = scene, pair, audience
        self._ends, self._ip = ends, ip
        self._ended: tuple[bytes, ...] = ()

    async def give(
        self, desk: Desk, family: Family, server: AuthorizationServer
    ) -> Credential | None:
        """None, and nothing written, when the consent has ended meanwhile."""
        await desk.revisions.turn()
        living = await desk.families.get(family.id)
        if living is None or living.ended is not None:
            return None
        now = self._scene.now
        credential = Credential(
            digest=self._pair.access,
            id=self._pair.id,
            kind=CredentialKind.ACCESS,
            email=family.email,
            family=family.id,
            label=family.label,
            audience=self._audience,
            created=now,
            expires=min(now + server.access, self._ends),
        )
        self._ended = await room_for_token(desk, self._scene, family.id)
        await desk.credentials.add(credential, self._ip)
        expires = min(now + server.idle, self._ends)
        made = Refresh(digest=self._pair.refresh, family=family.id, created=now, expires=expires)
        await desk.refreshes.add(made)
        await desk.families.use(family.id, now, self._ends)
        return credential

    def effect(self, credential: Credential, operation: str, family: Family) -> Effect:
        expires = credential.expires or 0.0
        after = {"credential": credential.id, "expires": expires}
        return Effect(
            result=Issued(audience=self._audience, expires=expires),
            act=Act(operation=operation, facts=family_facts(family, self._audience), after=after),
            rule="own consent",
            issued=(credential,),
            ended=self._ended,
        )
