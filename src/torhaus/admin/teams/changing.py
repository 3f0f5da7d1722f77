"""Acts that make, change and remove teams."""

import re
from typing import Any

import msgspec

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.people.changing import PEOPLE, givable, unknown_server, wider
from torhaus.admin.teams.acts import ChangeTeam, MakeTeam, Manned, RemoveTeam
from torhaus.admin.teams.members import joined, members_of
from torhaus.admin.teams.owners import of_file, of_provider, own
from torhaus.audit.acts import Act
from torhaus.model.desk import Desk
from torhaus.model.person import Moved, Team
from torhaus.policy.house import may, right

NAME = re.compile(r"[^\W_][\w .-]{0,99}")


async def make_team(desk: Desk, scene: Scene, act: MakeTeam) -> Effect | Refusal:
    name = act.name.strip()
    tried = Act(operation="team.made", facts={"team": name[:100]})
    refusal = await _unmakable(desk, scene, act, name, tried)
    if refusal is not None:
        return refusal
    team = Team(
        name=name,
        roles=tuple(dict.fromkeys(act.roles)),
        servers=tuple(dict.fromkeys(act.servers)),
        changed=scene.now,
    )
    fresh = await joined(desk, scene, team, act.members, tried)
    if isinstance(fresh, Refusal):
        return fresh
    await desk.teams.put(team)
    for each in fresh:
        await desk.teams.join(each)
    members = tuple(each.email for each in fresh)
    done = msgspec.structs.replace(tried, after={**told(team), "members": list(members)})
    return effect(Manned(team, members), done, Moved(teams=(team,), joined=fresh))


async def change_team(desk: Desk, scene: Scene, act: ChangeTeam) -> Effect | Refusal:
    """What it gives: nobody gives through a team what he could not give by hand."""
    found = await theirs(desk, scene, act.name, Act(operation="team.changed"))
    if isinstance(found, Refusal):
        return found
    before, members, tried = found
    roles = before.roles if act.roles is None else tuple(dict.fromkeys(act.roles))
    servers = before.servers if act.servers is None else tuple(dict.fromkeys(act.servers))
    wrong = unknown_server(scene.rules, act.servers or ())
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    more = wider(before.servers, servers)
    given = (each for each in roles if more or each not in before.roles)
    refusal = givable(scene, given, tried)
    if refusal is not None:
        return refusal
    team = msgspec.structs.replace(before, roles=roles, servers=servers, changed=scene.now)
    await desk.teams.put(team)
    was, now = told(before), told(team)
    changed = sorted(key for key in now if now[key] != was[key])
    done = msgspec.structs.replace(
        tried,
        before={key: was[key] for key in changed},
        after={key: now[key] for key in changed},
    )
    return effect(Manned(team, members), done, Moved(teams=(team,)))


async def remove_team(desk: Desk, scene: Scene, act: RemoveTeam) -> Effect | Refusal:
    found = await theirs(desk, scene, act.name, Act(operation="team.removed"))
    if isinstance(found, Refusal):
        return found
    team, members, tried = found
    left = tuple(await desk.teams.within(team.name))
    await desk.teams.remove(team.name)
    done = msgspec.structs.replace(tried, before={**told(team), "members": list(members)})
    return effect(Manned(team, members), done, Moved(removed=(team.name,), left=left))


async def theirs(
    desk: Desk, scene: Scene, name: str, act: Act
) -> tuple[Team, tuple[str, ...], Act] | Refusal:
    """A team of the database with its members, for somebody who may and is not in it himself."""
    tried = msgspec.structs.replace(act, facts={**act.facts, "team": name[:100]})
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    team = await own(desk, scene, name, tried)
    if isinstance(team, Refusal):
        return team
    members = await members_of(desk, team.name)
    if scene.actor.email in members:
        text = "you are in this team, and nobody changes his own access: ask somebody else"
        return Refusal("not_allowed", text, tried)
    return team, members, tried


def told(team: Team) -> dict[str, Any]:
    return {"roles": list(team.roles), "servers": list(team.servers)}


def effect(result: Manned, act: Act, moved: Moved) -> Effect:
    return Effect(result=result, act=act, rule=right(PEOPLE), people=True, moved=moved)


async def _unmakable(
    desk: Desk, scene: Scene, act: MakeTeam, name: str, tried: Act
) -> Refusal | None:
    why = may(scene.actor, PEOPLE, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    if NAME.fullmatch(name) is None:
        text = "a team's name has letters, digits, blanks, . and -, at most 100"
        return Refusal("invalid", text, tried)
    wrong = unknown_server(scene.rules, act.servers)
    if wrong is not None:
        return Refusal("invalid", wrong, tried)
    return await _taken(desk, scene, name, tried) or givable(scene, act.roles, tried)


async def _taken(desk: Desk, scene: Scene, name: str, tried: Act) -> Refusal | None:
    """Lists of approvers and limits name roles, groups and people alike: a name means one thing."""
    if name in scene.rules.roles:
        return Refusal("conflict", "there is a role of this name", tried, "choose another name")
    refusal = of_file(scene.rules, name, tried)
    refusal = refusal or await of_provider(desk, scene.rules, name, tried)
    if refusal is None and await desk.teams.get(name) is not None:
        refusal = Refusal("conflict", "there is a team of this name already", tried)
    return refusal
