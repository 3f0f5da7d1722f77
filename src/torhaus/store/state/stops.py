"""Stops in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.stops import Stop, StopKind
from torhaus.store.state.revisions import STOPS, bump
from torhaus.store.state.statements import insert, select

_STOP = "id, kind, target, reason, created, created_by, expires, lifted_at, lifted_by"
_HOLDS = "lifted_at IS NULL AND (expires IS NULL OR expires > :now)"
_ADD = insert("stops", _STOP)
_GET = select("stops", _STOP, "id = :id")
_IN_FORCE = select("stops", _STOP, f"{_HOLDS} ORDER BY created, id")
_NEWEST = select("stops", _STOP, "1 = 1 ORDER BY created DESC, id LIMIT :most")
_LIFT = text(
    f"UPDATE stops SET lifted_at = :now, lifted_by = :by WHERE id = :id AND {_HOLDS}"  # noqa: S608 -- constants
)
_OVERDUE = select(
    "stops",
    _STOP,
    "lifted_at IS NULL AND expires <= :now ORDER BY expires, id LIMIT :most",
)
_END = text(
    "UPDATE stops SET lifted_at = expires WHERE id = :id AND lifted_at IS NULL AND expires <= :now"
)


class StateStops:
    """The `StopDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, stop: Stop) -> None:
        await bump(self._connection, STOPS)
        values = {**msgspec.structs.asdict(stop), "kind": stop.kind.value}
        await self._connection.execute(_ADD, values)

    async def get(self, id: str) -> Stop | None:
        found = (await self._connection.execute(_GET, {"id": id})).first()
        return None if found is None else _stop(found)

    async def lift(self, id: str, by: str, now: float) -> bool:
        await bump(self._connection, STOPS)
        values = {"id": id, "by": by, "now": now}
        return (await self._connection.execute(_LIFT, values)).rowcount == 1

    async def end(self, id: str, now: float) -> bool:
        await bump(self._connection, STOPS)
        return (await self._connection.execute(_END, {"id": id, "now": now})).rowcount == 1

    async def overdue(self, now: float, most: int) -> list[Stop]:
        rows = await self._connection.execute(_OVERDUE, {"now": now, "most": most})
        return [_stop(row) for row in rows]

    async def in_force(self, now: float) -> list[Stop]:
        return [_stop(row) for row in await self._connection.execute(_IN_FORCE, {"now": now})]

    async def newest(self, most: int) -> list[Stop]:
        return [_stop(row) for row in await self._connection.execute(_NEWEST, {"most": most})]


def _stop(row: Row[Any]) -> Stop:
    found = row._asdict()
    return Stop(kind=StopKind(found.pop("kind")), **found)
