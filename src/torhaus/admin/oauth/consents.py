"""A person lets a client in: a family of tokens begins, and the client gets a code."""

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.oauth.acts import CODE, GiveConsent
from torhaus.admin.oauth.facts import client_facts, denied, family_facts
from torhaus.admin.people.crowding import room
from torhaus.audit.acts import Act
from torhaus.model.credentials import Family, FamilyKind
from torhaus.model.desk import Desk
from torhaus.model.oauth import Code
from torhaus.policy.approvers import active

GIVEN = "consent.given"


async def give_consent(desk: Desk, scene: Scene, act: GiveConsent) -> Effect | Refusal:
    facts = {**client_facts(act.client), "audience": act.asked.audience or "everything"}
    actor, now = scene.actor, scene.now
    if actor.id not in scene.rules.principals or not active(actor, now):
        return denied(GIVEN, "access_denied", "you have no access here", facts)
    if act.client.kind == "registered" and await desk.clients.get(act.client.id) is None:
        return denied(GIVEN, "access_denied", "this client's registration has ended", facts)
    session = await desk.families.get(act.session)
    if session is None or session.ended is not None or session.email != actor.email:
        return denied(GIVEN, "access_denied", "your session has ended: sign in again", facts)
    if await desk.families.get(act.id) is not None:
        return denied(GIVEN, "access_denied", "this consent was used already", facts)
    crowd = await room(desk, scene, actor.email, act.id, FamilyKind.CONSENT)
    family = _family(scene, act, session)
    await desk.families.add(family)
    await desk.codes.add(
        Code(
            digest=act.code,
            family=family.id,
            client_id=act.client.id,
            redirect_uri=act.asked.redirect_uri,
            audience=act.asked.audience,
            challenge=act.asked.challenge,
            expires=now + CODE,
        )
    )
    done = Act(
        operation=GIVEN,
        facts={**family_facts(family, act.asked.audience), **crowd.facts()},
        after={"redirect_uri": act.asked.redirect_uri},
    )
    return Effect(result=family, act=done, rule="own consent", ended=crowd.ended)


def _family(scene: Scene, act: GiveConsent, session: Family) -> Family:
    """It lasts as long as its code, until that is exchanged.

    It ends with the session's owner at the identity provider, whose names it has for that.
    """
    return Family(
        id=act.id,
        kind=FamilyKind.CONSENT,
        email=scene.actor.email,
        client_id=act.client.id,
        label=act.client.name or act.client.id[:80],
        audience=act.asked.audience,
        issuer=session.issuer,
        subject=session.subject,
        provider_session=session.provider_session,
        parent=session.id,
        created=scene.now,
        used=scene.now,
        expires=scene.now + CODE,
        ip=act.ip,
    )
