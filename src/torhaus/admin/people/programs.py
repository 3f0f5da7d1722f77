"""What becomes of service accounts when the person who answers for them goes."""

from typing import Any

import msgspec

from torhaus.admin.acts import Effect, Scene
from torhaus.admin.people.acts import Outcome, Program
from torhaus.admin.people.changing import put
from torhaus.admin.people.owners import of_file
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.person import FILE, Person, PersonState


class Parted(msgspec.Struct, frozen=True, kw_only=True):
    """What became of somebody's service accounts. `acts`: for a record each."""

    programs: tuple[Program, ...] = ()
    persons: tuple[Person, ...] = ()
    ended: tuple[bytes, ...] = ()
    acts: tuple[Act, ...] = ()

    def beside(self, effect: Effect) -> Effect:
        """The effect on the person, with this."""
        if not self.programs:
            return effect
        told: dict[str, Any] = {}
        for each in self.programs:
            told.setdefault(each.outcome.value, []).append(each.email)
        facts = {**effect.act.facts, "service_accounts": told}
        return msgspec.structs.replace(
            effect,
            act=msgspec.structs.replace(effect.act, facts=facts),
            persons=(*effect.persons, *self.persons),
            ended=(*effect.ended, *self.ended),
            more=(*effect.more, *self.acts),
        )


async def parted(desk: Desk, scene: Scene, email: str, successor: str, reason: str) -> Parted:
    """Suspend the service accounts of somebody who goes, or hand them to the successor.

    Those of the file are suspended: who answers for them is changed there.
    """
    found = Parted()
    for row in await _of(desk, scene, email):
        files = of_file(scene.rules, row.email, row)
        if successor and not files:
            done = await _handed(desk, scene, row, successor)
        else:
            done = await _suspended(desk, scene, row, reason)
        found = Parted(
            programs=(*found.programs, *done.programs),
            persons=(*found.persons, *done.persons),
            ended=(*found.ended, *done.ended),
            acts=(*found.acts, *done.acts),
        )
    return found


async def waiting(desk: Desk, scene: Scene, email: str) -> tuple[Program, ...]:
    """Those that are suspended still when somebody is back."""
    return tuple(
        Program(email=row.email, outcome=Outcome.SUSPENDED)
        for row in await _of(desk, scene, email)
        if row.state is PersonState.SUSPENDED
    )


async def _of(desk: Desk, scene: Scene, email: str) -> list[Person]:
    """With a row for those of the file that have none."""
    kept = await desk.persons.answered_for(email)
    rows = [each for each in kept if each.email not in scene.rules.filed]
    for name, responsible in scene.rules.filed.items():
        if responsible == email:
            made = Person(email=name, owner=FILE, created=scene.now, created_by=scene.actor.email)
            row = await desk.persons.get(name)
            rows.append(made if row is None else row)
    alive = (each for each in rows if each.state is not PersonState.GONE)
    return sorted(alive, key=lambda each: each.email)


async def _handed(desk: Desk, scene: Scene, row: Person, successor: str) -> Parted:
    person = msgspec.structs.replace(row, responsible=successor, changed=scene.now)
    facts = {"person": row.email, "part_of": scene.id}
    effect = await put(desk, row, person, Act(operation="person.changed", facts=facts))
    program = Program(email=row.email, outcome=Outcome.HANDED_OVER, to=successor)
    return Parted(programs=(program,), persons=(person,), acts=(effect.act,))


async def _suspended(desk: Desk, scene: Scene, row: Person, reason: str) -> Parted:
    program = Program(email=row.email, outcome=Outcome.SUSPENDED)
    if row.state is not PersonState.ACTIVE:
        return Parted(programs=(program,))
    person = msgspec.structs.replace(
        row, state=PersonState.SUSPENDED, epoch=row.epoch + 1, changed=scene.now
    )
    facts = {"person": row.email, "part_of": scene.id, "reason": reason[:500]}
    effect = await put(desk, row, person, Act(operation="person.suspended", facts=facts))
    ended = await desk.families.end_all(row.email, scene.actor.email, reason, scene.now)
    return Parted(programs=(program,), persons=(person,), ended=ended, acts=(effect.act,))
