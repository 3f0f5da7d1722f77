"""`/api/v1/teams`: groups of the file, teams of the database, groups that providers push."""

from typing import Annotated, Any, Self

from fastapi import APIRouter, Path
from pydantic import Field

from torhaus.admin.teams.acts import (
    ChangeTeam,
    JoinTeam,
    LeaveTeam,
    MakeTeam,
    Manned,
    RemoveTeam,
)
from torhaus.admin.teams.books import ListedTeam, TeamBooks
from torhaus.api.backstage import Backstage
from torhaus.api.door import Who
from torhaus.api.people import Email
from torhaus.api.person_shapes import Roles, Servers
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import Given, Taken

Name = Annotated[str, Path(max_length=200, description="The team's name.")]
Address = Annotated[str, Field(max_length=320)]


class NewTeam(Taken):
    """A team of the database. What it gives, its members have besides their own."""

    name: Annotated[str, Field(max_length=100)]
    roles: Roles = ()
    servers: Servers = ()
    members: Annotated[tuple[Address, ...], Field(max_length=1000)] = ()


class TeamChange(Taken):
    """What is left out stays as it is. `servers: []` takes the limit away."""

    roles: Annotated[tuple[str, ...] | None, Field(max_length=50)] = None
    servers: Annotated[tuple[str, ...] | None, Field(max_length=100)] = None


class Joining(Taken):
    """Who comes in: all of them, or nobody."""

    members: Annotated[tuple[Address, ...], Field(min_length=1, max_length=1000)]


class TeamOut(Given):
    """A team. `owner` says who may change it: `file`, `database` or `scim:NAME`."""

    name: str
    owner: str
    roles: list[str]
    servers: Annotated[
        list[str], Field(description="The only ones where its roles count; empty for all.")
    ]
    groups: Annotated[
        list[str], Field(description="Of the file, that members of a provider's group are in.")
    ]
    count: Annotated[int, Field(description="How many are in it, as far as you may see.")]

    @classmethod
    def of(cls, found: ListedTeam) -> Self:
        return cls(**_told(found))


class TeamShown(TeamOut):
    """A team with who is in it."""

    members: list[str]

    @classmethod
    def of(cls, found: ListedTeam) -> Self:
        return cls(**_told(found), members=list(found.members))


def _told(found: ListedTeam) -> dict[str, Any]:
    team = found.team
    return {
        "name": team.name,
        "owner": team.owner,
        "roles": list(team.roles),
        "servers": list(team.servers),
        "groups": list(found.groups),
        "count": len(found.members),
    }


def router(backstage: Backstage, books: TeamBooks) -> APIRouter:
    routes = APIRouter(prefix="/teams", tags=["people"])

    @routes.get("")
    async def list_teams(who: Who) -> list[TeamOut]:
        """Every team by name; without the right, those you are in."""
        return [TeamOut.of(each) for each in await books.teams(who.principal)]

    @routes.post("", status_code=201)
    async def make_team(new: NewTeam, who: Who) -> TeamShown:
        """Make a team in the database."""
        act = MakeTeam(name=new.name, roles=new.roles, servers=new.servers, members=new.members)
        return _shown(await backstage.act(who, act))

    @routes.get("/{name:path}")
    async def show_team(name: Name, who: Who) -> TeamShown:
        """One of them, with who is in it."""
        found = await books.team(who.principal, name)
        if found is None:
            raise ProblemError(404, "not_found", "there is no such team for you to see")
        return TeamShown.of(found)

    @routes.patch("/{name:path}")
    async def change_team(name: Name, change: TeamChange, who: Who) -> TeamShown:
        """Change what a team of the database gives, for all who are in it at once."""
        act = ChangeTeam(name=name, roles=change.roles, servers=change.servers)
        return _shown(await backstage.act(who, act))

    _members(routes, backstage)
    return routes


def _members(routes: APIRouter, backstage: Backstage) -> None:
    @routes.post("/{name:path}/members")
    async def join(name: Name, joining: Joining, who: Who) -> TeamShown:
        """Bring people of the database in; each has what the team gives from the next call on."""
        return _shown(await backstage.act(who, JoinTeam(name, joining.members)))

    @routes.delete("/{name:path}/members/{email}")
    async def leave(name: Name, email: Email, who: Who) -> TeamShown:
        """Take somebody out, and with it what the team gave."""
        return _shown(await backstage.act(who, LeaveTeam(name, (email,))))

    @routes.delete("/{name:path}")
    async def remove_team(name: Name, who: Who) -> TeamShown:
        """Remove a team; what it gave its members ends. The answer is the team as it was."""
        return _shown(await backstage.act(who, RemoveTeam(name)))


def _shown(found: Manned) -> TeamShown:
    return TeamShown.of(ListedTeam(team=found.team, members=found.members))
