"""Whom a user of a source takes along when he leaves, whatever address he has by then."""

import msgspec

from torhaus.admin.acts import Effect, Scene
from torhaus.admin.people.ending import end
from torhaus.admin.provisioning.belonging import MOST, document
from torhaus.audit.acts import Act
from torhaus.identity.scim.reading import active
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.desk import Desk
from torhaus.model.person import FILE, Person, PersonState
from torhaus.model.provisioning import USER, Provisioned, ScimSource, Sought
from torhaus.policy.approvers import administrators

RULE = "auth.scim"
LEFT = "left, by provisioning"
MOST_TOLD = 50


async def renamed(
    desk: Desk, scene: Scene, user: Provisioned, before: Provisioned | None
) -> Provisioned:
    """With the address he was known by, as long as that is somebody here.

    At many providers people change their own address: whoever takes a colleague's does not become
    him, and whoever leaves his own behind does not get away with it.
    """
    first = None if before is None else before.known_as or before.email
    if first == user.email or not await _is_somebody(desk, scene, first or ""):
        first = None
    return msgspec.structs.replace(user, known_as=first)


async def vouched(desk: Desk, scene: Scene, user: Provisioned) -> str:
    """The address of whom this user is, for the end of his access; empty for nobody."""
    first = user.known_as
    if first is None or not await _is_somebody(desk, scene, first):
        return user.email or ""
    return "" if await twin(desk, user, first) else first


async def twin(desk: Desk, user: Provisioned, email: str) -> bool:
    """Whether another active user of the source is the same person here.

    An address can be changed by its owner at many providers: whoever takes another's must not get
    what is his, nor take him along when he leaves.
    """
    if not email:
        return False
    sought = Sought(source=user.source, kind=USER, email=email)
    found = await desk.provisioned.some(sought, 0, MOST)
    return any(each.id != user.id and active(document(each)) for each in found)


async def left(
    desk: Desk, scene: Scene, source: ScimSource, user: Provisioned, tried: Act
) -> Effect:
    """He is offboarded, under the address that he came with and that of his that is the source's.

    Somebody of others whose address he has taken meanwhile stays, and administrators hear of it.
    """
    email, own = user.email or "", await vouched(desk, scene, user)
    found, taken = unmoved(tried), False
    for address in dict.fromkeys((own, email)):
        row = await _row(desk, scene, source, address)
        if row is None or await twin(desk, user, address):
            continue
        if address != own and row.owner != source.owner:
            taken = True
            continue
        facts = {**tried.facts, "person": address[:254]}
        fresh = msgspec.structs.replace(tried, facts=facts)
        found = _both(found, await end(desk, scene, row, LEFT, fresh, rule=RULE))
    if not taken:
        return found
    text = (
        f"A user of {source.owner} has left who took the address {email} while he was there, so "
        f"{email} was not offboarded. If that is the same person: torhaus users offboard {email}"
    )
    return _told(found, scene, source, user, text)


async def claimed(
    desk: Desk, scene: Scene, source: ScimSource, user: Provisioned, found: Effect
) -> Effect:
    """Administrators hear of it when his new address is somebody's of others."""
    email = user.email or ""
    row = await _row(desk, scene, source, email)
    if row is None or row.owner == source.owner or await vouched(desk, scene, user) == email:
        return found
    text = (
        f"{source.owner} gives its user {user.known_as} the address {email}, which is somebody's "
        f"here whom it did not bring. When he leaves, {email} stays. Is he meant, see to it then."
    )
    return _told(found, scene, source, user, text)


def unmoved(tried: Act) -> Effect:
    """What the source knows has changed, and nobody's access."""
    return Effect(result=None, act=msgspec.structs.replace(tried, before={}, after={}), rule=RULE)


def _both(one: Effect, other: Effect) -> Effect:
    if not one.persons:
        return other
    return msgspec.structs.replace(
        one,
        persons=(*one.persons, *other.persons),
        ended=(*one.ended, *other.ended),
        more=(*one.more, other.act, *other.more),
    )


def _told(found: Effect, scene: Scene, source: ScimSource, user: Provisioned, text: str) -> Effect:
    email = (user.email or "")[:254]
    news = Announcement(
        kind=Kind.PERSON,
        text=text,
        at=scene.now,
        to=administrators(scene.rules, "*", scene.now)[:MOST_TOLD],
        facts={"source": source.name, "person": email, "known_as": user.known_as or ""},
    )
    facts = {**found.act.facts, "taken": email, "known_as": user.known_as}
    act = msgspec.structs.replace(found.act, facts=facts)
    return msgspec.structs.replace(found, act=act, news=(*found.news, news))


async def _row(desk: Desk, scene: Scene, source: ScimSource, email: str) -> Person | None:
    """Somebody who is here and can go; who is in the file alone gets a row for it."""
    row = await desk.persons.get(email)
    if row is None and email in scene.rules.principals:
        return Person(email=email, owner=FILE, created=scene.now, created_by=source.owner)
    return None if row is None or row.state is PersonState.GONE else row


async def _is_somebody(desk: Desk, scene: Scene, email: str) -> bool:
    """Also who is gone: his address is not free."""
    return email in scene.rules.principals or await desk.persons.get(email) is not None
