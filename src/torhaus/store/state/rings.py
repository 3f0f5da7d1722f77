"""Which key seals credentials, and who has it, in the state database."""

from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.rings import Holder, Sealing
from torhaus.store.state.persons import said, words
from torhaus.store.state.statements import insert, put

# Whoever changes credentials holds this row until his transaction ends: one after another, so that
# nothing is sealed under a key that is being let go, and nobody waits for rows in another order.
_TURN = text(
    "INSERT INTO revisions (name, number) VALUES ('vault', :more) "
    "ON CONFLICT (name) DO UPDATE SET number = revisions.number + :more"
)
_SEALING = text(
    "SELECT number, key_id, since, settled FROM vault_keys ORDER BY number DESC LIMIT 1"
)
_MOVE = insert("vault_keys", "number, key_id, since, settled")
_SETTLE = text("UPDATE vault_keys SET settled = :now WHERE key_id = :key_id AND settled IS NULL")
_ANNOUNCE = put("vault_holders", "id, name, keys, seen", ["id"])
_WITHDRAW = text("DELETE FROM vault_holders WHERE id = :id")
_HOLDERS = text("SELECT id, name, keys, seen FROM vault_holders WHERE seen >= :since ORDER BY id")
_FORGET = text("DELETE FROM vault_holders WHERE seen < :since")


async def turn(connection: AsyncConnection, more: int = 0) -> None:
    """Wait for others who change credentials. `more`: 1 where everybody must hear of a change."""
    await connection.execute(_TURN, {"more": more})


class StateRings:
    """The `RingDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def take(self, first: str, now: float) -> Sealing:
        await turn(self._connection)
        found = await self._newest()
        if found is None:
            await self._put(1, first, now, settled=now)
            return Sealing(first, now)
        return _sealing(found)

    async def sealing(self) -> Sealing | None:
        found = await self._newest()
        return None if found is None else _sealing(found)

    async def move(self, key: str, now: float) -> None:
        found = await self._newest()
        await self._put(1 if found is None else found.number + 1, key, now, settled=None)

    async def settle(self, key: str, now: float) -> None:
        await self._connection.execute(_SETTLE, {"key_id": key, "now": now})

    async def announce(self, holder: Holder) -> None:
        values = {"id": holder.id, "name": holder.name, "seen": holder.seen}
        await self._connection.execute(_ANNOUNCE, {**values, "keys": said(holder.keys)})

    async def withdraw(self, id: str) -> None:
        await self._connection.execute(_WITHDRAW, {"id": id})

    async def holders(self, since: float) -> list[Holder]:
        await self._connection.execute(_FORGET, {"since": since})
        rows = await self._connection.execute(_HOLDERS, {"since": since})
        return [Holder(row.id, row.name, words(row.keys), row.seen) for row in rows]

    async def _newest(self) -> Row[Any] | None:
        return (await self._connection.execute(_SEALING)).first()

    async def _put(self, number: int, key: str, since: float, settled: float | None) -> None:
        values = {"number": number, "key_id": key, "since": since, "settled": settled}
        await self._connection.execute(_MOVE, values)


def _sealing(row: Row[Any]) -> Sealing:
    return Sealing(row.key_id, row.since, row.settled is not None)
