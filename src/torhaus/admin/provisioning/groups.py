"""Groups of a source, and what they give their members."""

from collections.abc import Iterable

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.provisioning.acts import ProvisionGroup, RemoveGroup
from torhaus.admin.provisioning.belonging import gains, giving, members, names, settled
from torhaus.admin.provisioning.leaving import RULE
from torhaus.admin.provisioning.users import NOT_THE_SOURCE, kept
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.person import Person, PersonState
from torhaus.model.provisioning import GROUP, USER, Provisioned, ScimSource

TOLD = 50
"""Addresses a record names; it says how many there are besides."""


async def provision_group(desk: Desk, scene: Scene, act: ProvisionGroup) -> Effect | Refusal:
    group, before, source = act.group, act.before, act.source
    tried = Act(operation="group.provisioned", facts=_facts(source, group))
    if scene.actor.id != source.owner:
        return Refusal("not_allowed", NOT_THE_SOURCE, tried)
    old, new = members(before), members(group)
    same = before is not None and names(before) == names(group)
    touched = await _addresses(desk, source, old ^ new if same else old | new)
    found = await giving(desk, source)
    groups = [*(each for each in found if each.id != group.id), group]
    changed = await _persons(desk, source, groups, touched)
    refusal = await kept(desk, group, before, tried)
    if refusal is not None:
        return refusal
    moved = {**_told("joined", touched, new - old), **_told("left", touched, old - new)}
    tried = msgspec.structs.replace(tried, facts={**tried.facts, **moved})
    return await _settle(desk, scene, source, changed, tried)


async def remove_group(desk: Desk, scene: Scene, act: RemoveGroup) -> Effect | Refusal:
    source = act.source
    tried = Act(operation="group.removed", facts={"source": source.name, "id": act.id[:64]})
    if scene.actor.id != source.owner:
        return Refusal("not_allowed", NOT_THE_SOURCE, tried)
    group = await desk.provisioned.get(source.name, GROUP, act.id)
    if group is None:
        return Refusal("not_found", "there is no such group", tried)
    touched = await _addresses(desk, source, members(group))
    groups = [each for each in await giving(desk, source) if each.id != group.id]
    changed = await _persons(desk, source, groups, touched)
    moved = _told("left", touched, members(group))
    tried = msgspec.structs.replace(tried, facts={**_facts(source, group), **moved})
    await desk.provisioned.remove(group.id)
    return await _settle(desk, scene, source, changed, tried)


Changed = list[tuple[Person, str, list[Provisioned]]]
"""Who it is about: as he is before, his id, and the groups there are from now on."""


async def _persons(
    desk: Desk, source: ScimSource, groups: list[Provisioned], touched: dict[str, str]
) -> Changed:
    found: Changed = []
    for id, email in touched.items():
        person = await desk.persons.get(email)
        alive = person is not None and person.state is not PersonState.GONE
        if person is not None and alive and person.owner == source.owner:
            found.append((person, id, groups))
    return found


async def _settle(
    desk: Desk, scene: Scene, source: ScimSource, changed: Changed, tried: Act
) -> Effect:
    persons: list[Person] = []
    before: dict[str, list[str]] = {}
    after: dict[str, list[str]] = {}
    for person, id, groups in changed:
        fresh = await settled(desk, scene, source, person, gains(source, groups, id))
        if fresh == person:
            continue
        await desk.persons.put(fresh)
        persons.append(fresh)
        if len(persons) <= TOLD:
            before[person.email], after[person.email] = [*person.roles], [*fresh.roles]
    roles = {"before": {"roles": before}, "after": {"roles": after}}
    done = msgspec.structs.replace(tried, **roles)
    return Effect(result=None, act=done, rule=RULE, people=True, persons=tuple(persons))


async def _addresses(desk: Desk, source: ScimSource, ids: Iterable[str]) -> dict[str, str]:
    """Id -> address, of those the source has told of."""
    found: dict[str, str] = {}
    for id in sorted(ids):
        user = await desk.provisioned.get(source.name, USER, id)
        if user is not None and user.email is not None:
            found[id] = user.email
    return found


def _told(word: str, touched: dict[str, str], ids: Iterable[str]) -> dict[str, object]:
    who = sorted(touched[id] for id in ids if id in touched)
    return {word: who[:TOLD], f"{word}_count": len(who)} if who else {}


def _facts(source: ScimSource, group: Provisioned) -> dict[str, object]:
    return {"source": source.name, "group": group.name[:200], "id": group.id}
