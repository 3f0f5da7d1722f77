"""People and service accounts in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.person import Person, PersonKind, PersonState
from torhaus.store.state.revisions import PEOPLE, bump
from torhaus.store.state.statements import put, select

_PERSON = (
    "email, kind, state, owner, name, roles, servers, expires, responsible, epoch, created, "
    "created_by, changed, left_at"
)
_PUT = put("persons", _PERSON, ["email"])
_GET = select("persons", _PERSON, "email = :email")
_EVERY = select("persons", _PERSON, "1 = 1 ORDER BY email")
_PROGRAMS = select(
    "persons",
    _PERSON,
    "responsible = :email AND kind = 'service' AND state <> 'gone' ORDER BY email",
)


class StatePersons:
    """The `PersonDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, email: str) -> Person | None:
        found = (await self._connection.execute(_GET, {"email": email})).first()
        return None if found is None else _person(found)

    async def every(self) -> list[Person]:
        return [_person(row) for row in await self._connection.execute(_EVERY)]

    async def answered_for(self, responsible: str) -> list[Person]:
        rows = await self._connection.execute(_PROGRAMS, {"email": responsible})
        return [_person(row) for row in rows]

    async def put(self, person: Person) -> None:
        await bump(self._connection, PEOPLE)
        await self._connection.execute(_PUT, _columns(person))


def words(text: str) -> tuple[str, ...]:
    """A list of names, as it is kept."""
    return msgspec.json.decode(text, type=tuple[str, ...])


def said(names: tuple[str, ...]) -> str:
    """A list of names, to be kept."""
    return msgspec.json.encode(names).decode()


def _columns(person: Person) -> dict[str, Any]:
    found = msgspec.structs.asdict(person)
    return {
        **found,
        "kind": person.kind.value,
        "state": person.state.value,
        "roles": said(person.roles),
        "servers": said(person.servers),
    }


def _person(row: Row[Any]) -> Person:
    found = row._asdict()
    return Person(
        kind=PersonKind(found.pop("kind")),
        state=PersonState(found.pop("state")),
        roles=words(found.pop("roles")),
        servers=words(found.pop("servers")),
        **found,
    )
