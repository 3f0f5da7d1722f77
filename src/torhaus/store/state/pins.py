"""The pinned catalogue in the state database."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.pins import Definition, Pin
from torhaus.store.state.revisions import TOOLS, tell

_COLUMNS = (
    "server, name, first_seen, accepted_digest, accepted, accepted_by, accepted_at, "
    "offered_digest, offered, since, rejected, told, gone"
)
_VALUES = ", ".join(f":{name}" for name in _COLUMNS.split(", "))

_SELECT = f"SELECT {_COLUMNS} FROM tools"  # noqa: S608 -- constants
_ALL = text(_SELECT)
_ONE = text(f"{_SELECT} WHERE server = :server AND name = :name")
_SINCE = text(f"{_SELECT} WHERE written >= :written")
# Another process may have written an acceptance that this one has not heard of yet.
_OLDER = "coalesce(tools.accepted_at, 0) < coalesce(excluded.accepted_at, 0)"
_KEEP = text(
    f"INSERT INTO tools ({_COLUMNS}, written) VALUES ({_VALUES}, :written) "  # noqa: S608 -- constants
    "ON CONFLICT (server, name) DO UPDATE SET "
    "offered_digest = excluded.offered_digest, offered = excluded.offered, "
    "since = excluded.since, told = excluded.told, gone = excluded.gone, "
    "written = excluded.written, "
    f"accepted_digest = CASE WHEN {_OLDER} THEN excluded.accepted_digest "
    "ELSE tools.accepted_digest END, "
    f"accepted = CASE WHEN {_OLDER} THEN excluded.accepted ELSE tools.accepted END, "
    f"accepted_by = CASE WHEN {_OLDER} THEN excluded.accepted_by ELSE tools.accepted_by END, "
    f"accepted_at = CASE WHEN {_OLDER} THEN excluded.accepted_at ELSE tools.accepted_at END"
)
_ACCEPT = text(
    "UPDATE tools SET accepted_digest = offered_digest, accepted = offered, "
    "accepted_by = :accepted_by, accepted_at = :accepted_at, offered_digest = NULL, "
    "offered = NULL, since = NULL, rejected = :rejected, written = :written "
    "WHERE server = :server AND name = :name AND offered_digest = :accepted_digest"
)
_REJECT = text(
    "UPDATE tools SET rejected = :rejected, written = :written "
    "WHERE server = :server AND name = :name AND offered_digest = :rejected"
)


class StatePins:
    """The `ToolDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def all(self) -> list[Pin]:
        return [_pin(row) for row in await self._connection.execute(_ALL)]

    async def get(self, server: str, name: str) -> Pin | None:
        values = {"server": server, "name": name}
        found = (await self._connection.execute(_ONE, values)).first()
        return None if found is None else _pin(found)

    async def since(self, written: float) -> list[Pin]:
        values = {"written": written}
        return [_pin(row) for row in await self._connection.execute(_SINCE, values)]

    async def keep(self, pins: Sequence[Pin], now: float) -> None:
        if pins:
            values = [{**_columns(pin), "written": now} for pin in pins]
            await self._connection.execute(_KEEP, values)

    async def accept(self, pin: Pin, now: float) -> bool:
        values = {**_columns(pin), "written": now}
        await tell(self._connection, TOOLS)
        return (await self._connection.execute(_ACCEPT, values)).rowcount == 1

    async def reject(self, pin: Pin, now: float) -> bool:
        values = {**_columns(pin), "written": now}
        await tell(self._connection, TOOLS)
        return (await self._connection.execute(_REJECT, values)).rowcount == 1


def _columns(pin: Pin) -> dict[str, Any]:
    accepted, offered = pin.accepted, pin.offered
    return {
        "server": pin.server,
        "name": pin.name,
        "first_seen": pin.first_seen,
        "accepted_digest": None if accepted is None else accepted.digest,
        "accepted": None if accepted is None else accepted.text,
        "accepted_by": pin.accepted_by,
        "accepted_at": pin.accepted_at,
        "offered_digest": None if offered is None else offered.digest,
        "offered": None if offered is None else offered.text,
        "since": pin.since,
        "rejected": pin.rejected,
        "told": pin.told,
        "gone": pin.gone,
    }


def _pin(row: Row[Any]) -> Pin:
    # A process that had not heard of the acceptance may have written its offer after it.
    offers = row.offered_digest != row.accepted_digest
    return Pin(
        server=row.server,
        name=row.name,
        first_seen=row.first_seen,
        accepted=_definition(row.accepted_digest, row.accepted),
        accepted_by=row.accepted_by,
        accepted_at=row.accepted_at,
        offered=_definition(row.offered_digest, row.offered) if offers else None,
        since=row.since if offers else None,
        rejected=row.rejected,
        told=row.told,
        gone=row.gone,
    )


def _definition(digest: str | None, definition: bytes | None) -> Definition | None:
    if digest is None or definition is None:
        return None
    return Definition(digest, bytes(definition))
