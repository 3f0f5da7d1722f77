"""Users of a source: who comes, changes, leaves and comes back."""

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.changing import put
from torhaus.admin.people.ending import end
from torhaus.admin.provisioning.acts import ProvisionUser, RemoveUser
from torhaus.admin.provisioning.belonging import document, forgotten, gains, giving, settled
from torhaus.admin.provisioning.leaving import RULE, claimed, left, renamed, twin, unmoved, vouched
from torhaus.audit.acts import Act
from torhaus.identity.scim.reading import active, name
from torhaus.model.desk import Desk
from torhaus.model.person import FILE, Person, PersonState
from torhaus.model.provisioning import USER, Provisioned, ScimSource

STALE, TAKEN = "stale", "taken"
"""Codes of refusals: somebody else was quicker; another has this name."""
RENAMED = "another address, by provisioning"
NOT_THE_SOURCE = "only the source itself does this"


async def provision_user(desk: Desk, scene: Scene, act: ProvisionUser) -> Effect | Refusal:
    """Keep what the source says, and let it be so.

    Whoever the file, an administrator or another provider owns stays theirs: the source gives him
    nothing, and can only end his access.
    """
    before, source = act.before, act.source
    user = await renamed(desk, scene, act.user, before)
    tried = Act(operation="person.provisioned", facts=_facts(source, user))
    if scene.actor.id != source.owner:
        return Refusal("not_allowed", NOT_THE_SOURCE, tried)
    email = user.email or ""
    if active(document(user)) and await twin(desk, user, email):
        return Refusal(TAKEN, "another active user has this address", tried)
    leaving = before is not None and active(document(before)) and not active(document(user))
    refusal = await kept(desk, user, before, tried)
    if refusal is not None:
        return refusal
    if leaving:
        return await left(desk, scene, source, user, tried)
    row = await desk.persons.get(email)
    if _mine(source, row, scene, email) and active(document(user)):
        found = await _own(desk, scene, act, row, tried)
    else:
        row = await desk.persons.get(await vouched(desk, scene, user))
        found = await _theirs(desk, scene, row, tried, returns=_returns(before, user))
    found = await _without_old(desk, scene, act, found)
    if before is None or before.email == user.email:
        return found
    return await claimed(desk, scene, source, user, found)


async def remove_user(desk: Desk, scene: Scene, act: RemoveUser) -> Effect | Refusal:
    source = act.source
    tried = Act(operation="person.deprovisioned", facts={"source": source.name, "id": act.id[:64]})
    if scene.actor.id != source.owner:
        return Refusal("not_allowed", NOT_THE_SOURCE, tried)
    user = await desk.provisioned.get(source.name, USER, act.id)
    if user is None:
        return Refusal("not_found", "there is no such user", tried)
    tried = msgspec.structs.replace(tried, facts=_facts(source, user))
    await desk.provisioned.remove(user.id)
    await forgotten(desk, source, user.id)
    if not active(document(user)):
        return unmoved(tried)
    return await left(desk, scene, source, user, tried)


async def kept(
    desk: Desk, made: Provisioned, before: Provisioned | None, tried: Act
) -> Refusal | None:
    """Keep the document. A refusal where it was changed meanwhile, or the name is another's."""
    done = (
        await desk.provisioned.add(made)
        if before is None
        else await desk.provisioned.change(made, before.document)
    )
    if done:
        return None
    now = None if before is None else await desk.provisioned.get(made.source, made.kind, made.id)
    if before is not None and (now is None or now.document != before.document):
        return Refusal(STALE, "this was changed meanwhile", tried)
    return Refusal(TAKEN, f"there is a {made.kind} of this name already", tried)


def _mine(source: ScimSource, row: Person | None, scene: Scene, email: str) -> bool:
    if not email:
        return False
    if row is None:
        return email not in scene.rules.principals
    return row.owner == source.owner


def _returns(before: Provisioned | None, user: Provisioned) -> bool:
    """Whether he was not to be here, and is to be now, in so many words."""
    was = before is None or active(document(before))
    return not was and document(user).get("active") is True


async def _own(
    desk: Desk, scene: Scene, act: ProvisionUser, row: Person | None, tried: Act
) -> Effect:
    """A person of the source, as its document and groups say."""
    user, source = act.user, act.source
    person = row or Person(
        email=user.email or "", owner=source.owner, created=scene.now, created_by=source.owner
    )
    gone = person.state is PersonState.GONE
    if gone and (act.before is None or _returns(act.before, user)):
        person = msgspec.structs.replace(person, state=PersonState.ACTIVE, left_at=None)
    if person.state is not PersonState.GONE:
        given = gains(source, await giving(desk, source), user.id)
        person = await settled(desk, scene, source, person, given)
    person = msgspec.structs.replace(person, name=name(document(user)), changed=scene.now)
    return await put(desk, row, person, tried, rule=RULE, result=user)


async def _theirs(
    desk: Desk, scene: Scene, row: Person | None, tried: Act, *, returns: bool
) -> Effect:
    """Somebody of others, or nobody yet: only the end of his access is taken back again."""
    if row is not None and row.owner == FILE and row.state is PersonState.GONE and returns:
        back = msgspec.structs.replace(
            row, state=PersonState.ACTIVE, left_at=None, changed=scene.now
        )
        return await put(desk, row, back, tried, rule=RULE)
    return unmoved(tried)


async def _without_old(desk: Desk, scene: Scene, act: ProvisionUser, found: Effect) -> Effect:
    """Another address is somebody else here: the one he had before has left."""
    old = None if act.before is None else act.before.email
    if old is None or old == act.user.email or await twin(desk, act.user, old):
        return found
    row = await desk.persons.get(old)
    if row is None or row.owner != act.source.owner or row.state is PersonState.GONE:
        return found
    gone = await end(desk, scene, row, RENAMED, found.act, rule=RULE)
    facts = {**gone.act.facts, "before_that": old}
    return msgspec.structs.replace(
        found,
        act=msgspec.structs.replace(found.act, facts=facts),
        ended=(*found.ended, *gone.ended),
        persons=(*found.persons, *gone.persons),
        more=(*found.more, *gone.more),
        people=True,
        grants=True,
    )


def _facts(source: ScimSource, user: Provisioned) -> dict[str, object]:
    told = document(user)
    return {
        "source": source.name,
        "person": (user.email or "")[:254],
        "user": user.id,
        "active": active(told),
    }
