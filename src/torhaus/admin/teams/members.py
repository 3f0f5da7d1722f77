"""Who is in a team, and who may come into it. Changes nothing."""

import msgspec

from torhaus.admin.acts import Refusal, Scene
from torhaus.admin.people.changing import givable
from torhaus.admin.people.owners import of_file
from torhaus.audit.acts import Act
from torhaus.identity.addresses import one_form
from torhaus.model.desk import Desk
from torhaus.model.person import DATABASE, Membership, PersonState, Team

MOST = 1000
"""People who join at once."""


async def joined(
    desk: Desk, scene: Scene, team: Team, emails: tuple[str, ...], tried: Act
) -> tuple[Membership, ...] | Refusal:
    """Who is to be in it besides.

    Whoever brings somebody into a team gives him all that it gives.
    """
    if len(emails) > MOST:
        return Refusal("invalid", f"at most {MOST} people at once", tried)
    refusal = givable(scene, team.roles, tried) if emails else None
    if refusal is not None:
        return refusal
    found: list[Membership] = []
    for email in dict.fromkeys(map(one_form, emails)):
        refusal = await _cannot(desk, scene, email, tried)
        if refusal is not None:
            return refusal
        found.append(Membership(team.name, email, DATABASE))
    return tuple(found)


async def members_of(desk: Desk, name: str) -> tuple[str, ...]:
    """Their addresses, in order."""
    return tuple(dict.fromkeys(each.email for each in await desk.teams.within(name)))


async def _cannot(desk: Desk, scene: Scene, email: str, tried: Act) -> Refusal | None:
    named = msgspec.structs.replace(tried, facts={**tried.facts, "person": email[:254]})
    if email == scene.actor.email:
        text = "nobody changes his own access: ask somebody else"
        return Refusal("not_allowed", text, named)
    row = await desk.persons.get(email)
    known = email in scene.rules.principals
    if (row is None and not known) or (row is not None and row.state is PersonState.GONE):
        return Refusal("not_found", f"there is nobody with the address {email[:254]!r}", named)
    if of_file(scene.rules, email, row):
        fix = "change users in the configuration"
        return Refusal("conflict", f"the file says in which groups {email} is", named, fix)
    return None
