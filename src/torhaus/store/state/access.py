"""Requests for access, grants, and what people were told once, in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.grant import AccessRequest, Asked, Grant, Granted
from torhaus.store.state.revisions import GRANTS, tell

_REQUEST = (
    "id, state, requester, email, role, reason, seconds, created, expires, decided_by, "
    "decided_at, comment, grant_id"
)
_GRANT = "id, email, role, begins, ends, alone, notify, granted_by, created, revoked_by, revoked_at"


def _insert(table: str, columns: str, then: str = "") -> TextClause:
    names = ", ".join(f":{name}" for name in columns.split(", "))
    return text(f"INSERT INTO {table} ({columns}) VALUES ({names}){then}")  # noqa: S608 -- constants


def _select(table: str, columns: str, then: str) -> TextClause:
    return text(f"SELECT {columns} FROM {table} WHERE {then}")  # noqa: S608 -- constants


_ADD_REQUEST = _insert("access_requests", _REQUEST)
_ONE_REQUEST = _select("access_requests", _REQUEST, "id = :id")
_REQUESTS = _select(
    "access_requests", _REQUEST, "state IN :states ORDER BY created DESC, id LIMIT :most"
).bindparams(bindparam("states", expanding=True))
_LATE = _select("access_requests", _REQUEST, "state = 'pending' AND expires <= :now LIMIT :most")
_DECIDE = text(
    "UPDATE access_requests SET state = :state, decided_by = :decided_by, "
    "decided_at = :decided_at, comment = :comment, grant_id = :grant_id "
    "WHERE id = :id AND state = 'pending'"
)
_ADD_GRANT = _insert("grants", _GRANT)
_ONE_GRANT = _select("grants", _GRANT, "id = :id")
_GRANTS = _select("grants", _GRANT, "1 = 1 ORDER BY created DESC, id LIMIT :most")
_IN_FORCE = _select("grants", _GRANT, "revoked_at IS NULL AND ends > :now ORDER BY id")
_REVOKE = text(
    "UPDATE grants SET revoked_by = :by, revoked_at = :now "
    "WHERE id = :id AND revoked_at IS NULL AND ends > :now"
)
_FORGET = text("DELETE FROM access_requests WHERE state <> 'pending' AND expires < :before")
_TOLD = _insert("notices", "key, told", " ON CONFLICT DO NOTHING")


class StateAccess:
    """The `AccessDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add_request(self, request: AccessRequest) -> None:
        await self._connection.execute(_ADD_REQUEST, _columns(request))

    async def request(self, id: str) -> AccessRequest | None:
        found = (await self._connection.execute(_ONE_REQUEST, {"id": id})).first()
        return None if found is None else _request(found)

    async def requests(self, state: Asked | None, most: int) -> list[AccessRequest]:
        states = [each.value for each in (Asked if state is None else (state,))]
        values = {"states": states, "most": most}
        return [_request(row) for row in await self._connection.execute(_REQUESTS, values)]

    async def decide_request(self, request: AccessRequest) -> bool:
        return (await self._connection.execute(_DECIDE, _columns(request))).rowcount == 1

    async def overdue(self, now: float, most: int) -> list[AccessRequest]:
        rows = await self._connection.execute(_LATE, {"now": now, "most": most})
        return [_request(row) for row in rows]

    async def forget(self, before: float) -> None:
        await self._connection.execute(_FORGET, {"before": before})

    async def add_grant(self, granted: Granted) -> None:
        grant = granted.grant
        values = {
            "id": grant.id,
            "email": grant.user,
            "role": grant.role,
            "begins": grant.begins,
            "ends": grant.ends,
            "alone": int(grant.replace),
            "notify": grant.notify,
            "granted_by": granted.granted_by,
            "created": granted.created,
            "revoked_by": granted.revoked_by,
            "revoked_at": granted.revoked_at,
        }
        await self._connection.execute(_ADD_GRANT, values)
        await tell(self._connection, GRANTS)

    async def grant(self, id: str) -> Granted | None:
        found = (await self._connection.execute(_ONE_GRANT, {"id": id})).first()
        return None if found is None else _granted(found)

    async def grants(self, most: int) -> list[Granted]:
        rows = await self._connection.execute(_GRANTS, {"most": most})
        return [_granted(row) for row in rows]

    async def in_force(self, now: float) -> list[Grant]:
        rows = await self._connection.execute(_IN_FORCE, {"now": now})
        return [_granted(row).grant for row in rows]

    async def revoke(self, id: str, by: str, now: float) -> bool:
        values = {"id": id, "by": by, "now": now}
        await tell(self._connection, GRANTS)
        return (await self._connection.execute(_REVOKE, values)).rowcount == 1

    async def tell_once(self, key: str, now: float) -> bool:
        return (await self._connection.execute(_TOLD, {"key": key, "told": now})).rowcount == 1


def _columns(request: AccessRequest) -> dict[str, Any]:
    found = msgspec.structs.asdict(request)
    return {**found, "state": request.state.value, "grant_id": found.pop("grant")}


def _request(row: Row[Any]) -> AccessRequest:
    found = row._asdict()
    state, grant = Asked(found.pop("state")), found.pop("grant_id")
    return AccessRequest(state=state, grant=grant, **found)


def _granted(row: Row[Any]) -> Granted:
    grant = Grant(
        id=row.id,
        user=row.email,
        role=row.role,
        begins=row.begins,
        ends=row.ends,
        replace=bool(row.alone),
        notify=row.notify,
    )
    return Granted(
        grant=grant,
        granted_by=row.granted_by,
        created=row.created,
        revoked_by=row.revoked_by,
        revoked_at=row.revoked_at,
    )
