"""Acts on who is in a team."""

from torhaus.admin.acts import Effect, Refusal, Scene
from torhaus.admin.teams.acts import JoinTeam, LeaveTeam, Manned
from torhaus.admin.teams.changing import effect, theirs
from torhaus.admin.teams.members import joined
from torhaus.audit.acts import Act
from torhaus.identity.addresses import one_form
from torhaus.model.desk import Desk
from torhaus.model.person import DATABASE, Membership, Moved

TOLD = 50
"""Addresses a record names; it says how many there are besides."""


async def join_team(desk: Desk, scene: Scene, act: JoinTeam) -> Effect | Refusal:
    """Who is in it already stays in it."""
    tried = Act(operation="team.joined", facts=_facts("joined", act.emails))
    found = await theirs(desk, scene, act.name, tried)
    if isinstance(found, Refusal):
        return found
    team, before, tried = found
    fresh = await joined(desk, scene, team, act.emails, tried)
    if isinstance(fresh, Refusal):
        return fresh
    fresh = tuple(each for each in fresh if each.email not in before)
    for each in fresh:
        await desk.teams.join(each)
    members = tuple(sorted((*before, *(each.email for each in fresh))))
    done = _counted(tried, before, members, "joined", fresh)
    return effect(Manned(team, members), done, Moved(joined=fresh))


async def leave_team(desk: Desk, scene: Scene, act: LeaveTeam) -> Effect | Refusal:
    tried = Act(operation="team.left", facts=_facts("left", act.emails))
    found = await theirs(desk, scene, act.name, tried)
    if isinstance(found, Refusal):
        return found
    team, before, tried = found
    emails = tuple(dict.fromkeys(map(one_form, act.emails)))
    missing = next((each for each in emails if each not in before), None)
    if missing is not None:
        text = f"{missing[:254]} is not in this team"
        return Refusal("not_found", text, tried)
    gone = tuple(Membership(team.name, each, DATABASE) for each in emails)
    for each in gone:
        await desk.teams.leave(each)
    members = tuple(each for each in before if each not in emails)
    done = _counted(tried, before, members, "left", gone)
    return effect(Manned(team, members), done, Moved(left=gone))


def _facts(word: str, emails: tuple[str, ...]) -> dict[str, object]:
    return {word: [each[:254] for each in emails[:TOLD]]}


def _counted(
    tried: Act,
    before: tuple[str, ...],
    now: tuple[str, ...],
    word: str,
    moved: tuple[Membership, ...],
) -> Act:
    """Of many members only those who have moved are told, and how many there are."""
    told = [each.email for each in moved[:TOLD]]
    return Act(
        operation=tried.operation,
        facts={**tried.facts, word: told, f"{word}_count": len(moved)},
        before={"members": len(before)},
        after={"members": len(now)},
    )
