"""People and service accounts as the state database has them, and the teams they are in."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec

FILE, DATABASE = "file", "database"
"""Owners: who may change somebody. Others are `scim:NAME` and `idp:NAME`."""


class PersonKind(StrEnum):
    USER = "user"
    SERVICE = "service"


class PersonState(StrEnum):
    """`invited`: may not call yet. `suspended`: may not call now. `gone`: never again."""

    INVITED = "invited"
    ACTIVE = "active"
    SUSPENDED = "suspended"
    GONE = "gone"


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a row in the database.

    `email`: lower case. `owner`: who may change him; what `file` owns has a row for its state and
    epoch only, and its roles stand in the file. `servers`: the only ones his roles open; empty for
    all that they do. `expires`: Unix seconds, the first instant at which
    access is over; None for never. `responsible`: who answers for a service account, a person's
    address. `epoch`: grows whenever all his credentials end at once.
    """

    email: str
    kind: PersonKind = PersonKind.USER
    state: PersonState = PersonState.ACTIVE
    owner: str = DATABASE
    name: str = ""
    roles: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    expires: float | None = None
    responsible: str = ""
    epoch: int = 0
    created: float = 0.0
    created_by: str = ""
    changed: float = 0.0
    left_at: float | None = None


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A group of the file or of the database; its roles are its members'.

    `servers`: the only ones where these roles count; empty for all that they open.
    """

    name: str
    owner: str = DATABASE
    roles: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    changed: float = 0.0


class Membership(msgspec.Struct, frozen=True):
    """`owner`: who put him there, and may take him out again."""

    team: str
    email: str
    owner: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """What an act has changed of teams. `teams`: as they are now; `removed`: names."""

    teams: tuple[Team, ...] = ()
    removed: tuple[str, ...] = ()
    joined: tuple[Membership, ...] = ()
    left: tuple[Membership, ...] = ()

    @property
    def names(self) -> frozenset[str]:
        """Teams of which something has changed."""
        moved = (*self.joined, *self.left)
        return frozenset(
            (*(each.name for each in self.teams), *self.removed, *(each.team for each in moved))
        )


class Roster(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody the database knows, and who is in which team."""

    persons: tuple[Person, ...] = ()
    teams: tuple[Team, ...] = ()
    members: tuple[Membership, ...] = ()

    def moved(self, moved: Moved) -> "Roster":
        """The same people, with these teams."""
        gone = {each.name for each in moved.teams} | set(moved.removed)
        teams = [*(each for each in self.teams if each.name not in gone), *moved.teams]
        left = set(moved.left)
        members = {each for each in self.members if each not in left} | set(moved.joined)
        return Roster(
            persons=self.persons,
            teams=tuple(sorted(teams, key=lambda each: each.name)),
            members=tuple(sorted(members, key=lambda each: (each.team, each.email, each.owner))),
        )


NOBODY = Roster()


class PersonDesk(Protocol):
    """People, in one transaction of the state database. Raises StateError."""

    async def get(self, email: str) -> Person | None: ...

    async def every(self) -> list[Person]:
        """By address; also those who are gone."""
        ...

    async def answered_for(self, responsible: str) -> list[Person]:
        """Service accounts of this person that are not gone, by address."""
        ...

    async def put(self, person: Person) -> None:
        """As this from now on, whether he was there or not."""
        ...


class TeamDesk(Protocol):
    """Teams and who is in them, in one transaction of the state database. Raises StateError."""

    async def every(self) -> list[Team]: ...
    async def get(self, name: str) -> Team | None: ...
    async def put(self, team: Team) -> None: ...
    async def remove(self, name: str) -> bool:
        """With its memberships. False when there is no such team."""
        ...

    async def members(self) -> list[Membership]: ...
    async def within(self, name: str) -> list[Membership]:
        """Who is in this team, by address."""
        ...

    async def of(self, email: str) -> list[Membership]: ...

    async def join(self, member: Membership) -> bool:
        """False when he was in it, by the same owner, already."""
        ...

    async def leave(self, member: Membership) -> bool:
        """False when he was not in it by this owner."""
        ...

    async def set(self, email: str, owner: str, teams: Sequence[str]) -> bool:
        """In exactly these teams by this owner. False when that was so already."""
        ...
