"""What a provisioned person's groups give him, put into force."""

from collections.abc import Iterable
from typing import Any

import msgspec

from torhaus.admin.acts import Scene
from torhaus.identity.gains import gained
from torhaus.identity.scim.attributes import Document
from torhaus.model.desk import Desk
from torhaus.model.person import Person
from torhaus.model.providers import Gains
from torhaus.model.provisioning import GROUP, Provisioned, ScimSource, Sought

MOST = 10_000
"""Groups of one source that are looked through."""


def document(row: Provisioned) -> Document:
    return msgspec.json.decode(row.document, type=dict[str, Any])


def members(row: Provisioned | None) -> frozenset[str]:
    """Ids of its members."""
    found = [] if row is None else document(row).get("members", [])
    return frozenset(each["value"] for each in found)


def names(group: Provisioned) -> tuple[str, ...]:
    """What the file may call this group: the name people see, or the provider's id of it."""
    found = (document(group).get("displayName"), group.external_id)
    return tuple(name for name in found if name)


async def giving(desk: Desk, source: ScimSource) -> list[Provisioned]:
    """Groups of the source that give something."""
    every = await desk.provisioned.some(Sought(source=source.name, kind=GROUP), 0, MOST)
    return [each for each in every if not source.terms.groups.keys().isdisjoint(names(each))]


async def forgotten(desk: Desk, source: ScimSource, id: str) -> None:
    """Take somebody who is no more out of the groups' documents."""
    for group in await desk.provisioned.some(Sought(source=source.name, kind=GROUP), 0, MOST):
        if id not in members(group):
            continue
        told = document(group)
        told["members"] = [each for each in told["members"] if each["value"] != id]
        text = msgspec.json.encode(told).decode()
        changed = msgspec.structs.replace(group, document=text)
        await desk.provisioned.change(changed, group.document)


def gains(source: ScimSource, groups: Iterable[Provisioned], id: str) -> Gains:
    """What somebody with this id has of these groups."""
    held = (name for each in groups if id in members(each) for name in names(each))
    return gained(source.terms, tuple(held))


async def settled(
    desk: Desk, scene: Scene, source: ScimSource, person: Person, given: Gains
) -> Person:
    """Him with exactly what his groups give; kept by whoever asked."""
    await desk.teams.set(person.email, source.owner, given.groups)
    if person.roles == given.roles:
        return person
    return msgspec.structs.replace(person, roles=given.roles, changed=scene.now)
