"""Which teams there are and who is in them, for those who may see it."""

from collections.abc import Callable

import msgspec

from torhaus.admin.people.changing import PEOPLE
from torhaus.admin.provisioning.belonging import document, members, names
from torhaus.identity.gains import gained
from torhaus.model.desk import Desk, Office
from torhaus.model.people import Principal
from torhaus.model.person import PersonState, Team
from torhaus.model.provisioning import GROUP, USER, Provisioned, ScimSource, Sought
from torhaus.model.rules import Rules
from torhaus.policy.house import may

MOST = 10_000
"""Groups, and users, of one source that are looked through."""


class ListedTeam(msgspec.Struct, frozen=True, kw_only=True):
    """A team of the file, the database or a provider. `members`: addresses, in order.

    `groups`: of the file, that its members are put in; a provider's groups alone have some.
    """

    team: Team
    members: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()


class TeamBooks:
    """Questions; each raises StateError. `rules`: those in force; `clock`: Unix seconds."""

    def __init__(
        self, office: Office, rules: Callable[[], Rules], clock: Callable[[], float]
    ) -> None:
        self._office = office
        self._rules = rules
        self._clock = clock

    async def teams(self, actor: Principal) -> list[ListedTeam]:
        """By name. Without the right, those he is in himself, and nobody else in them."""
        async with self._office.read() as desk:
            found = await _every(desk, self._rules())
        found.sort(key=lambda each: (each.team.name.casefold(), each.team.owner))
        if may(actor, PEOPLE, self._clock()) is None:
            return found
        own = (actor.email,)
        return [
            msgspec.structs.replace(each, members=own)
            for each in found
            if actor.email in each.members
        ]

    async def team(self, actor: Principal, name: str) -> ListedTeam | None:
        """That of the file or database before a provider's."""
        found = [each for each in await self.teams(actor) if each.team.name == name]
        found.sort(key=lambda each: each.team.owner.partition(":")[0] == "scim")
        return found[0] if found else None


async def _every(desk: Desk, rules: Rules) -> list[ListedTeam]:
    filed = {each.name for each in rules.teams}
    found = [
        ListedTeam(team=each, members=tuple(sorted(rules.groups.get(each.name, ()))))
        for each in rules.teams
    ]
    within: dict[str, dict[str, None]] = {}
    gone = {each.email for each in await desk.persons.every() if each.state is PersonState.GONE}
    for member in await desk.teams.members():
        if member.email not in gone:
            within.setdefault(member.team, {})[member.email] = None
    kept = [each for each in await desk.teams.every() if each.name not in filed]
    found += [ListedTeam(team=each, members=tuple(within.get(each.name, ()))) for each in kept]
    for source in rules.scim:
        found += await _pushed(desk, source)
    return found


async def _pushed(desk: Desk, source: ScimSource) -> list[ListedTeam]:
    users = await desk.provisioned.some(Sought(source=source.name, kind=USER), 0, MOST)
    emails = {each.id: each.email for each in users if each.email is not None}
    groups = await desk.provisioned.some(Sought(source=source.name, kind=GROUP), 0, MOST)
    return [_listed(source, each, emails) for each in groups]


def _listed(source: ScimSource, group: Provisioned, emails: dict[str, str]) -> ListedTeam:
    alone = msgspec.structs.replace(source.terms, everyone=type(source.terms.everyone)())
    given = gained(alone, names(group))
    who = sorted({emails[id] for id in members(group) if id in emails})
    name = str(document(group).get("displayName") or group.name)
    team = Team(name=name, owner=source.owner, roles=given.roles, changed=group.changed)
    return ListedTeam(team=team, members=tuple(who), groups=given.groups)
