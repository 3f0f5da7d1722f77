"""Sign-ins under way and one-time links in the state database, by the digest of what comes back."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.accounts import Leaving
from torhaus.store.state.statements import insert, select

_LEAVING = "digest, kind, browser, provider, sealed, created, expires"
_ADD = insert("departures", _LEAVING)
_GET = select("departures", _LEAVING, "digest = :digest AND expires > :now")
_TAKE = text(
    f"DELETE FROM departures WHERE digest = :digest AND expires > :now RETURNING {_LEAVING}"  # noqa: S608 -- constants
)
_FORGET = text("DELETE FROM departures WHERE kind = :kind")
_SWEEP = text("DELETE FROM departures WHERE expires <= :now")


class StateDepartures:
    """The `DepartureDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, leaving: Leaving) -> None:
        await self._connection.execute(_ADD, msgspec.structs.asdict(leaving))

    async def get(self, digest: bytes, now: float) -> Leaving | None:
        found = (await self._connection.execute(_GET, {"digest": digest, "now": now})).first()
        return None if found is None else _leaving(found)

    async def take(self, digest: bytes, now: float) -> Leaving | None:
        found = (await self._connection.execute(_TAKE, {"digest": digest, "now": now})).first()
        return None if found is None else _leaving(found)

    async def forget(self, kind: str) -> None:
        await self._connection.execute(_FORGET, {"kind": kind})

    async def sweep(self, now: float) -> None:
        await self._connection.execute(_SWEEP, {"now": now})


def _leaving(row: Row[Any]) -> Leaving:
    found = row._asdict()
    octets: dict[str, Any] = {
        name: bytes(found.pop(name)) for name in ("digest", "browser", "sealed")
    }
    return Leaving(**octets, **found)
