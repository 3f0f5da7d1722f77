"""Teams of the state database, and who is in them."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.person import Membership, Team
from torhaus.store.state.persons import said, words
from torhaus.store.state.revisions import PEOPLE, bump
from torhaus.store.state.statements import insert, put, select

_TEAM, _MEMBER = "name, owner, roles, servers, changed", "team, email, owner"
_PUT = put("teams", _TEAM, ["name"])
_EVERY = select("teams", _TEAM, "1 = 1 ORDER BY name")
_GET = select("teams", _TEAM, "name = :name")
_REMOVE = text("DELETE FROM teams WHERE name = :name")
_EMPTY = text("DELETE FROM memberships WHERE team = :name")
_MEMBERS = select("memberships", _MEMBER, "1 = 1 ORDER BY team, email, owner")
_WITHIN = select("memberships", _MEMBER, "team = :name ORDER BY email, owner")
_OF = select("memberships", _MEMBER, "email = :email ORDER BY team, owner")
_JOIN = insert("memberships", _MEMBER, " ON CONFLICT DO NOTHING")
_LEAVE = text("DELETE FROM memberships WHERE team = :team AND email = :email AND owner = :owner")


class StateTeams:
    """The `TeamDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def every(self) -> list[Team]:
        return [_team(row) for row in await self._connection.execute(_EVERY)]

    async def get(self, name: str) -> Team | None:
        found = (await self._connection.execute(_GET, {"name": name})).first()
        return None if found is None else _team(found)

    async def put(self, team: Team) -> None:
        await bump(self._connection, PEOPLE)
        lists = {"roles": said(team.roles), "servers": said(team.servers)}
        await self._connection.execute(_PUT, {**msgspec.structs.asdict(team), **lists})

    async def remove(self, name: str) -> bool:
        await bump(self._connection, PEOPLE)
        await self._connection.execute(_EMPTY, {"name": name})
        return (await self._connection.execute(_REMOVE, {"name": name})).rowcount == 1

    async def members(self) -> list[Membership]:
        return [_member(row) for row in await self._connection.execute(_MEMBERS)]

    async def within(self, name: str) -> list[Membership]:
        rows = await self._connection.execute(_WITHIN, {"name": name})
        return [_member(row) for row in rows]

    async def of(self, email: str) -> list[Membership]:
        rows = await self._connection.execute(_OF, {"email": email})
        return [_member(row) for row in rows]

    async def join(self, member: Membership) -> bool:
        return await self._changed(_JOIN, member)

    async def leave(self, member: Membership) -> bool:
        return await self._changed(_LEAVE, member)

    async def set(self, email: str, owner: str, teams: Sequence[str]) -> bool:
        now = {each.team for each in await self.of(email) if each.owner == owner}
        wanted = set(teams)
        for team in sorted(now - wanted):
            await self.leave(Membership(team, email, owner))
        for team in sorted(wanted - now):
            await self.join(Membership(team, email, owner))
        return now != wanted

    async def _changed(self, statement: Any, member: Membership) -> bool:
        await bump(self._connection, PEOPLE)
        values = msgspec.structs.asdict(member)
        return (await self._connection.execute(statement, values)).rowcount == 1


def _team(row: Row[Any]) -> Team:
    return Team(
        name=row.name,
        owner=row.owner,
        roles=words(row.roles),
        servers=words(row.servers),
        changed=row.changed,
    )


def _member(row: Row[Any]) -> Membership:
    return Membership(row.team, row.email, row.owner)
