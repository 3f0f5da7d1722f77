"""What credentials hang on and end with: consents and browser sessions, in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.credentials import Family, FamilyKind
from torhaus.store.state.credentials import StateCredentials
from torhaus.store.state.statements import insert, select

_FAMILY = (
    "id, kind, email, client_id, label, audience, issuer, subject, provider_session, proved, "
    "parent, created, used, expires, ip, ended, ended_by, reason"
)
_ADD = insert("families", _FAMILY)
_GET = select("families", _FAMILY, "id = :id")
_OF = select("families", _FAMILY, "email = :email ORDER BY created DESC, id")
_BEGUN_IN = select("families", _FAMILY, "parent = :parent ORDER BY created, id")
_TOLD_BY = select(
    "families",
    _FAMILY,
    "issuer = :issuer AND ended IS NULL AND (:any_subject = 1 OR subject = :subject) "
    "AND (:any_session = 1 OR provider_session = :session) ORDER BY created, id",
)
_USE = text("UPDATE families SET used = :now, expires = :expires WHERE id = :id AND used <= :now")
_END = text(
    "UPDATE families SET ended = :now, ended_by = :by, reason = :reason "
    "WHERE id = :id AND ended IS NULL"
)

_FORGET = text(
    "DELETE FROM families WHERE expires < :before "
    "AND NOT EXISTS (SELECT 1 FROM credentials WHERE credentials.family = families.id) "
    "AND NOT EXISTS (SELECT 1 FROM refreshes WHERE refreshes.family = families.id)"
)


class StateFamilies:
    """The `FamilyDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._credentials = StateCredentials(connection)

    async def add(self, family: Family) -> None:
        values = {**msgspec.structs.asdict(family), "kind": family.kind.value}
        await self._connection.execute(_ADD, values)

    async def get(self, id: str) -> Family | None:
        found = (await self._connection.execute(_GET, {"id": id})).first()
        return None if found is None else _family(found)

    async def of(self, email: str) -> list[Family]:
        return [_family(row) for row in await self._connection.execute(_OF, {"email": email})]

    async def begun_in(self, parent: str) -> list[Family]:
        rows = await self._connection.execute(_BEGUN_IN, {"parent": parent})
        return [_family(row) for row in rows]

    async def told_by(self, issuer: str, subject: str | None, session: str | None) -> list[Family]:
        values = {
            "issuer": issuer,
            "any_subject": int(subject is None),
            "subject": subject or "",
            "any_session": int(session is None),
            "session": session or "",
        }
        return [_family(row) for row in await self._connection.execute(_TOLD_BY, values)]

    async def use(self, id: str, now: float, expires: float) -> None:
        await self._connection.execute(_USE, {"id": id, "now": now, "expires": expires})

    async def end(self, id: str, by: str, reason: str, now: float) -> tuple[bytes, ...]:
        if not id:  # keys hang on no family
            return ()
        ended = await self._credentials.end_family(id, by, now)
        values = {"id": id, "by": by, "reason": reason, "now": now}
        await self._connection.execute(_END, values)
        return ended

    async def end_all(self, email: str, by: str, reason: str, now: float) -> tuple[bytes, ...]:
        living = [each for each in await self.of(email) if each.ended is None]
        ended = [await self.end(each.id, by, reason, now) for each in living]
        return tuple(digest for every in ended for digest in every)

    async def forget(self, before: float) -> None:
        await self._connection.execute(_FORGET, {"before": before})


def _family(row: Row[Any]) -> Family:
    found = row._asdict()
    return Family(kind=FamilyKind(found.pop("kind")), **found)
