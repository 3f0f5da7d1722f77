"""Refresh tokens in the state database: their digests, never themselves."""

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.oauth import Refresh
from torhaus.store.state.statements import insert, select

_REFRESH = "digest, family, created, expires, used, successor"
_ADD = insert("refreshes", _REFRESH)
_GET = select("refreshes", _REFRESH, "digest = :digest")
_USE = text(
    "UPDATE refreshes SET used = :now, successor = :successor "
    "WHERE digest = :digest AND used IS NULL"
)
_SEAL_OFF = text(
    "UPDATE refreshes SET successor = NULL WHERE successor IS NOT NULL AND used < :before"
)
_FORGET = text("DELETE FROM refreshes WHERE expires < :before")


class StateRefreshes:
    """The `RefreshDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, refresh: Refresh) -> None:
        await self._connection.execute(_ADD, msgspec.structs.asdict(refresh))

    async def get(self, digest: bytes) -> Refresh | None:
        found = (await self._connection.execute(_GET, {"digest": digest})).first()
        if found is None:
            return None
        successor = None if found.successor is None else bytes(found.successor)
        row = {**found._asdict(), "digest": bytes(found.digest), "successor": successor}
        return Refresh(**row)

    async def use(self, digest: bytes, successor: bytes, now: float) -> bool:
        values = {"digest": digest, "successor": successor, "now": now}
        return (await self._connection.execute(_USE, values)).rowcount == 1

    async def seal_off(self, before: float) -> int:
        return (await self._connection.execute(_SEAL_OFF, {"before": before})).rowcount

    async def forget(self, before: float) -> int:
        return (await self._connection.execute(_FORGET, {"before": before})).rowcount
