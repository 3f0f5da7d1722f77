"""Ids that may come once, in the state database."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.store.state.statements import insert

_FIRST = insert("seen", "source, id, expires", " ON CONFLICT DO NOTHING")
_SWEEP = text("DELETE FROM seen WHERE expires <= :now")


class StateSeen:
    """The `SeenDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def first(self, source: str, id: str, expires: float) -> bool:
        values = {"source": source, "id": id, "expires": expires}
        return (await self._connection.execute(_FIRST, values)).rowcount == 1

    async def sweep(self, now: float) -> None:
        await self._connection.execute(_SWEEP, {"now": now})
