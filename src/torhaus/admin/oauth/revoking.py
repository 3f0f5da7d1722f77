"""A client gives back what it was given (RFC 7009)."""

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.oauth.acts import RevokeToken
from torhaus.admin.oauth.facts import denied
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk

REVOKED = "token.revoked"


async def revoke_token(desk: Desk, scene: Scene, act: RevokeToken) -> Effect | Refusal:
    return await (_consent if act.refresh else _access)(desk, scene, act)


async def _consent(desk: Desk, scene: Scene, act: RevokeToken) -> Effect | Refusal:
    found = await desk.refreshes.get(act.digest)
    family = None if found is None else await desk.families.get(found.family)
    if family is None or family.ended is not None:
        return denied(REVOKED, "not_found", "this refresh token is not known, or over", {})
    by = scene.actor.email
    ended = await desk.families.end(family.id, by, "the client revoked it", scene.now)
    facts = {"family": family.id, "client": (family.client_id or "")[:512]}
    done = Act(operation=REVOKED, facts=facts, before={"tokens": len(ended)}, after={"tokens": 0})
    return Effect(result=None, act=done, rule="own token", ended=ended)


async def _access(desk: Desk, scene: Scene, act: RevokeToken) -> Effect | Refusal:
    kept = await desk.credentials.get(act.digest)
    if kept is None or not await desk.credentials.end(act.digest, scene.actor.email, scene.now):
        return denied(REVOKED, "not_found", "this access token is not known, or over", {})
    credential = kept.credential
    facts = {"credential": credential.id, "family": credential.family}
    done = Act(operation=REVOKED, facts=facts, before={"ended": False}, after={"ended": True})
    return Effect(result=None, act=done, rule="own token", ended=(act.digest,))
