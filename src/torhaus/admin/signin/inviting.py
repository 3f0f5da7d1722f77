"""Invitations are accepted: whoever opens the link is in, as the one it was sent to."""

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.changing import PEOPLE
from torhaus.admin.rights import may_grant
from torhaus.admin.signin.acts import AcceptInvitation
from torhaus.audit.acts import Act
from torhaus.model.accounts import Invitation
from torhaus.model.desk import Desk
from torhaus.model.person import Person, PersonState
from torhaus.model.texts import marked
from torhaus.policy.house import may

ACCEPTED = "invitation.accepted"
OVER = marked("this invitation is over, or was accepted before: ask for a new one")


async def accept_invitation(desk: Desk, scene: Scene, act: AcceptInvitation) -> Effect | Refusal:
    """With a local account."""
    asked = await accepted(desk, scene, act.token)
    told = Act(operation=ACCEPTED, facts={"email": scene.actor.email})
    if asked is None:
        return Refusal("conflict", OVER, told)
    await desk.passwords.put(msgspec.structs.replace(act.password, email=asked.email))
    told = Act(
        operation=ACCEPTED,
        facts={"invitation": asked.id, "by": asked.created_by},
        before={"state": "pending"},
        after={"state": "accepted"},
    )
    person = await desk.persons.get(asked.email)
    persons = () if person is None else (person,)
    return Effect(result=asked, act=told, rule="invitation", people=True, persons=persons)


async def waiting(desk: Desk, scene: Scene, token: bytes) -> Invitation | None:
    """The invitation of this link, if it waits and is the actor's. Changes nothing."""
    asked = await desk.invitations.sent(token)
    if asked is None or asked.email != scene.actor.email or asked.expires <= scene.now:
        return None
    if asked.state != "pending":
        return None
    # The file may have him since, with roles that nobody promised: the link must not open those.
    if asked.email in scene.rules.principals:
        return None
    before = await desk.persons.get(asked.email)
    invited = before is None or before.state is PersonState.INVITED
    return asked if invited and await _still_given(desk, scene, asked) else None


async def _still_given(desk: Desk, scene: Scene, asked: Invitation) -> bool:
    """Whether the sender could give now what he has promised: it is judged when it is taken."""
    sender = scene.rules.principals.get(asked.created_by)
    row = await desk.persons.get(asked.created_by)
    if sender is None or (row is not None and row.state is not PersonState.ACTIVE):
        return False
    if may(sender, PEOPLE, scene.now) is not None:
        return False
    return all(may_grant(sender, each, scene.rules, scene.now) is None for each in asked.roles)


async def accepted(desk: Desk, scene: Scene, token: bytes) -> Invitation | None:
    """Accept it, if it waits and is the actor's; the person is active from now on."""
    asked = await waiting(desk, scene, token)
    if asked is None or not await desk.invitations.decide(asked.id, "accepted", scene.now):
        return None
    before = await desk.persons.get(asked.email)
    fresh = Person(
        email=asked.email,
        roles=asked.roles,
        servers=asked.servers,
        expires=asked.access_ends,
        created=scene.now,
        created_by=asked.created_by,
    )
    active = msgspec.structs.replace(before or fresh, state=PersonState.ACTIVE, changed=scene.now)
    await desk.persons.put(active)
    return asked
