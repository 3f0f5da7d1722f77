"""Browser sessions: how they begin, and the ways they end."""

from collections.abc import Iterable

import msgspec

from torhaus.admin.acts import Burnt, Effect, Refusal, Scene
from torhaus.admin.people.crowding import room
from torhaus.admin.people.halted import halted
from torhaus.admin.signin.acts import (
    LOCAL,
    SESSION,
    Fresh,
    Proof,
    ProviderSignOut,
    RefuseSignIn,
    SignIn,
    SignOut,
)
from torhaus.audit.acts import Act
from torhaus.model.credentials import Credential, CredentialKind, Family, FamilyKind
from torhaus.model.desk import Desk
from torhaus.model.person import PersonKind, PersonState
from torhaus.model.signin import Identity
from torhaus.model.texts import marked
from torhaus.policy.approvers import active

CAME, REFUSED, LEFT = "signin.succeeded", "signin.refused", "signout"
PROGRAM = marked("this is a service account: it has keys, and does not sign in")
NOT_YET = marked("an invitation waits for you: accept it first")
SUSPENDED = marked("your access is suspended: ask an administrator")
OVER = marked("your access has ended: ask an administrator")
USED = marked("this code has been used before")
TAKEN = marked("this sign-in has already been used, or took too long: begin again")


async def sign_in(desk: Desk, scene: Scene, act: SignIn) -> Effect | Refusal | Burnt:
    """What is under way is used up, whether he comes in or not."""
    if not await spent(desk, scene, act.fresh):
        return refused(act.fresh.provider, TAKEN)
    why = await unwelcome(desk, scene)
    if why is None and scene.actor.id not in scene.rules.principals:
        why = OVER
    if why is None and not await _proved(desk, scene, act.proof):
        why = USED
    if why is not None:
        return Burnt(refused(act.fresh.provider, why))
    factor = "none" if act.proof is None else "code" if act.proof.step is not None else "recovery"
    return await begun(desk, scene, act.fresh, None, {"second_factor": factor})


async def refuse_sign_in(_desk: Desk, _scene: Scene, act: RefuseSignIn) -> Refusal:
    return refused(act.provider, act.reason)


async def sign_out(desk: Desk, scene: Scene, act: SignOut) -> Effect | Refusal:
    family = await desk.families.get(act.family)
    told = Act(operation=LEFT, facts={"session": act.family})
    if family is None or family.email != scene.actor.email or family.ended is not None:
        return Refusal("not_found", "there is no such session of yours", told)
    ended = await desk.families.end(family.id, scene.actor.email, "signed out", scene.now)
    told = msgspec.structs.replace(told, before=_lives(1), after=_lives(0))
    return Effect(result=family, act=told, rule="own session", ended=ended)


async def provider_sign_out(desk: Desk, scene: Scene, act: ProviderSignOut) -> Effect | Refusal:
    """With the consents that were given in these sessions: who is out there is out here.

    What was kept of his sign-in goes too, and the tokens that servers gave for it.
    """
    facts = {"provider": act.provider}
    source = f"logout {act.issuer}"
    if not await desk.seen.first(source, act.id, act.expires):
        text = "this message has come before"
        return Refusal("conflict", text, Act(operation=LEFT, facts=facts))
    sessions = await desk.families.told_by(act.issuer, act.subject, act.session)
    ended = await end_all(desk, scene, sessions, act.provider, f"signed out at {act.provider}")
    people = sorted({each.email for each in sessions})
    await _disown(desk, act, people)
    told = Act(
        operation=LEFT,
        facts={**facts, "people": people},
        before=_lives(len(sessions)),
        after=_lives(0),
    )
    return Effect(result=len(sessions), act=told, rule="identity provider", ended=ended)


async def end_all(
    desk: Desk, scene: Scene, sessions: Iterable[Family], by: str, why: str
) -> tuple[bytes, ...]:
    """With the consents that were given in these sessions; digests of all that ended."""
    ended: list[bytes] = []
    for session in sessions:
        for family in (session, *await desk.families.begun_in(session.id)):
            ended += await desk.families.end(family.id, by, why, scene.now)
    return tuple(ended)


async def shut_out(
    desk: Desk, scene: Scene, provider: str, issuer: str, subject: str
) -> tuple[bytes, ...]:
    """Whatever an account of a provider has come in with ends; digests of all that ended."""
    sessions = await desk.families.told_by(issuer, subject, None)
    return await end_all(desk, scene, sessions, provider, f"no longer let in by {provider}")


async def _disown(desk: Desk, act: ProviderSignOut, people: list[str]) -> None:
    known = None if act.subject is None else await desk.identities.get(act.issuer, act.subject)
    for email in {*people, *(() if known is None else (known.email,))}:
        await desk.vault.disown(act.provider, email)


def _lives(count: int) -> dict[str, int]:
    return {"sessions": count}


def refused(provider: str, reason: str) -> Refusal:
    told = Act(operation=REFUSED, facts={"provider": provider})
    return Refusal("not_allowed", reason, told)


async def unwelcome(desk: Desk, scene: Scene) -> str | None:
    """Why the actor may not come in, as a sentence; None when he may."""
    person = await desk.persons.get(scene.actor.email)
    known = scene.rules.principals.get(scene.actor.email)
    files = known is not None and known.responsible is not None
    if files or (person is not None and person.kind is PersonKind.SERVICE):
        return PROGRAM
    if person is not None and person.state is not PersonState.ACTIVE:
        return {PersonState.INVITED: NOT_YET, PersonState.SUSPENDED: SUSPENDED}.get(
            person.state, OVER
        )
    if not active(scene.actor, scene.now):
        return OVER
    return await halted(desk, scene.actor.email, scene.now)


async def begun(
    desk: Desk, scene: Scene, fresh: Fresh, identity: Identity | None, facts: dict[str, object]
) -> Effect:
    """The session begins, in the place of the one it replaces. Its id is the act's."""
    ended = await _replaced(desk, scene, fresh.replaces)
    email, ends = scene.actor.email, scene.now + SESSION
    crowd = await room(desk, scene, email, scene.id, FamilyKind.SESSION)
    family = Family(
        id=scene.id,
        kind=FamilyKind.SESSION,
        email=email,
        label=fresh.agent,
        issuer=LOCAL if identity is None else identity.issuer,
        subject=email if identity is None else identity.subject,
        provider_session=None if identity is None else identity.session,
        proved=scene.now if identity is None else identity.proved,
        created=scene.now,
        used=scene.now,
        expires=ends,
        ip=fresh.ip,
    )
    credential = Credential(
        digest=fresh.digest,
        id=scene.id,
        kind=CredentialKind.SESSION,
        email=email,
        family=family.id,
        label=fresh.agent,
        created=scene.now,
        expires=ends,
    )
    await desk.families.add(family)
    await desk.credentials.add(credential, fresh.ip)
    before = {"replaces": fresh.replaces} if fresh.replaces else {}
    told = Act(
        operation=CAME,
        facts={"provider": fresh.provider, **before, **facts, **crowd.facts()},
        after={"session": family.id, "expires": ends},
    )
    ended = (*ended, *crowd.ended)
    return Effect(
        result=family, act=told, rule="proved identity", issued=(credential,), ended=ended
    )


async def _replaced(desk: Desk, scene: Scene, id: str) -> tuple[bytes, ...]:
    family = await desk.families.get(id) if id else None
    if family is None or family.kind is not FamilyKind.SESSION:
        return ()
    if family.email != scene.actor.email:
        return ()
    return await desk.families.end(family.id, family.email, "signed in again", scene.now)


async def spent(desk: Desk, scene: Scene, fresh: Fresh) -> bool:
    """Uses up what is under way, before anything else: it counts once, whatever comes of it."""
    return not fresh.ticket or await desk.departures.take(fresh.ticket, scene.now) is not None


async def _proved(desk: Desk, scene: Scene, proof: Proof | None) -> bool:
    """Uses the second factor up; False when it was used before."""
    email = scene.actor.email
    if proof is None:
        return True
    if proof.step is not None:
        return await desk.passwords.step(email, proof.step)
    return proof.before is not None and await desk.passwords.spend(email, proof.before, proof.left)
