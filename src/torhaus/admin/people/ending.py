"""Acts that end somebody's access, for now or for good, and give it back."""

from collections.abc import Mapping

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.acts import Ended, OffboardPerson, ReinstatePerson, SuspendPerson
from torhaus.admin.people.answering import NAME_ONE, unanswerable
from torhaus.admin.people.changing import PEOPLE, back, givable, put, unknown
from torhaus.admin.people.closing import close
from torhaus.admin.people.owners import of_file
from torhaus.admin.people.programs import parted, waiting
from torhaus.audit.acts import Act
from torhaus.identity.addresses import one_form
from torhaus.model.desk import Desk
from torhaus.model.person import FILE, Person, PersonState
from torhaus.policy.house import may, right


async def suspend_person(desk: Desk, scene: Scene, act: SuspendPerson) -> Effect | Refusal:
    email = act.email.strip().lower()
    tried = Act(operation="person.suspended", facts=_facts(email, act.reason))
    row = await _row(desk, scene, email, tried)
    if isinstance(row, Refusal):
        return row
    if row.state is not PersonState.ACTIVE:
        return Refusal("conflict", f"this person is {row.state.value} already", tried)
    successor = await _successor(desk, scene, email, act.hand_to, tried)
    if isinstance(successor, Refusal):
        return successor
    ended = await _tokens(desk, scene, email, act.reason or "suspended")
    person = _moved(row, PersonState.SUSPENDED, scene.now)
    tried = msgspec.structs.replace(tried, facts={**tried.facts, "ended": len(ended)})
    left = await parted(desk, scene, email, successor, f"{email} is suspended")
    result = Ended(person=person, programs=left.programs)
    return left.beside(await put(desk, row, person, tried, ended=ended, result=result))


async def reinstate_person(desk: Desk, scene: Scene, act: ReinstatePerson) -> Effect | Refusal:
    email = act.email.strip().lower()
    tried = Act(operation="person.reinstated", facts=_facts(email, ""))
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    row = await desk.persons.get(email)
    if row is None:
        return unknown(tried)
    files = of_file(scene.rules, email, row)
    states = tuple(_AWAY) if files else (PersonState.SUSPENDED,)
    if row.state not in states:
        fix = "add this person anew" if row.state is PersonState.GONE else ""
        return Refusal("conflict", f"this person is {row.state.value}", tried, fix)
    # Who is away has nothing: whoever lets him in again gives him all of it.
    refusal = givable(scene, await back(desk, scene, row), tried)
    if refusal is not None:
        return refusal
    person = msgspec.structs.replace(row, state=PersonState.ACTIVE, left_at=None, changed=scene.now)
    result = Ended(person=person, programs=await waiting(desk, scene, email))
    return await put(desk, row, person, tried, result=result)


async def offboard_person(desk: Desk, scene: Scene, act: OffboardPerson) -> Effect | Refusal:
    """One act, one transaction, one record: nothing of his goes on."""
    email = act.email.strip().lower()
    tried = Act(operation="person.offboarded", facts=_facts(email, act.reason))
    row = await _row(desk, scene, email, tried)
    if isinstance(row, Refusal):
        return row
    if row.state is PersonState.GONE:
        return Refusal("conflict", "this person is gone already", tried)
    successor = await _successor(desk, scene, email, act.hand_to, tried)
    if isinstance(successor, Refusal):
        return successor
    return await end(desk, scene, row, act.reason, tried, successor=successor)


async def end(  # noqa: PLR0913 -- what differs between those who may
    desk: Desk,
    scene: Scene,
    row: Person,
    reason: str,
    tried: Act,
    *,
    rule: str = right(PEOPLE),
    successor: str = "",
) -> Effect:
    """What offboarding is, for those who may. `successor`: gets his service accounts."""
    email = row.email
    person = _moved(row, PersonState.GONE, scene.now)
    await desk.persons.put(person)  # the first: it takes the turn of all who change people
    closed, ended = await close(desk, scene, email, reason or "offboarded")
    closed["keys_of_file"] = sum(each.email == email for each in scene.rules.keys.values())
    tried = msgspec.structs.replace(tried, facts={**tried.facts, "closed": dict(closed)})
    left = await parted(desk, scene, email, successor, f"{email} is gone")
    told = {name: count for name, count in closed.items() if count}
    result = Ended(person=person, closed=told, programs=left.programs)
    more = {"result": result, "ended": ended, "grants": True, "rule": rule}
    return left.beside(await put(desk, row, person, tried, **more))


async def _successor(desk: Desk, scene: Scene, email: str, typed: str, tried: Act) -> str | Refusal:
    """The address of who answers for his service accounts from now on; empty for nobody."""
    if not typed:
        return ""
    successor = one_form(typed)
    if successor == email:
        text = "who goes cannot answer for anything: name somebody else"
        return Refusal("invalid", text, tried)
    why = await unanswerable(desk, scene, successor)
    return successor if why is None else Refusal("invalid", why, tried, NAME_ONE)


_AWAY = (PersonState.SUSPENDED, PersonState.GONE)


async def _row(desk: Desk, scene: Scene, email: str, tried: Act) -> Person | Refusal:
    """Whose access is to end; somebody of the file gets a row for it."""
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    row = await desk.persons.get(email)
    if row is None and not await _anybody(desk, scene, email):
        return unknown(tried)
    if email == scene.actor.email:
        return Refusal("not_allowed", "nobody ends his own access: ask somebody else", tried)
    made = Person(email=email, owner=FILE, created=scene.now, created_by=scene.actor.email)
    return made if row is None else row


async def _anybody(desk: Desk, scene: Scene, email: str) -> bool:
    """Also who is in the file no more: what he holds waits until he is in it again."""
    if "@" not in email:
        return False
    known = email in scene.rules.principals
    return known or bool(await desk.credentials.of(email) or await desk.families.of(email))


def _moved(row: Person, state: PersonState, now: float) -> Person:
    left = now if state is PersonState.GONE else None
    return msgspec.structs.replace(row, state=state, epoch=row.epoch + 1, changed=now, left_at=left)


def _facts(email: str, reason: str) -> Mapping[str, object]:
    facts = {"person": email[:254], "reason": reason[:500]}
    return {name: value for name, value in facts.items() if value}


async def _tokens(desk: Desk, scene: Scene, email: str, reason: str) -> tuple[bytes, ...]:
    """Browser sessions and what clients were let in for; keys wait until he is back."""
    return await desk.families.end_all(email, scene.actor.email, reason, scene.now)
