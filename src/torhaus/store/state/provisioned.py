"""Users and groups of sources of provisioning, in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.provisioning import Provisioned, Sought
from torhaus.store.state.statements import insert, select

_COLUMNS = "id, kind, source, external_id, name, email, known_as, document, created, changed"
_FITS = (
    "source = :source AND kind = :kind"
    " AND (CAST(:id AS TEXT) IS NULL OR id = :id)"
    " AND (CAST(:name AS TEXT) IS NULL OR name = :name)"
    " AND (CAST(:external_id AS TEXT) IS NULL OR external_id = :external_id)"
    " AND (CAST(:email AS TEXT) IS NULL OR email = :email)"
)
_GET = select("provisioned", _COLUMNS, "source = :source AND kind = :kind AND id = :id")
_SOME = select("provisioned", _COLUMNS, f"{_FITS} ORDER BY created, id LIMIT :most OFFSET :start")
_COUNT = select("provisioned", "count(*)", _FITS)
_ADD = insert("provisioned", _COLUMNS, " ON CONFLICT DO NOTHING")
_CHANGE = text(
    "UPDATE provisioned SET external_id = :external_id, name = :name, email = :email, "
    "known_as = :known_as, document = :document, changed = :changed "
    "WHERE id = :id AND document = :before AND NOT EXISTS "
    "(SELECT 1 FROM provisioned AS other WHERE other.source = :source AND other.kind = :kind "
    "AND other.name = :name AND other.id <> :id)"
)
_REMOVE = text("DELETE FROM provisioned WHERE id = :id")


class StateProvisioned:
    """The `ProvisionedDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def get(self, source: str, kind: str, id: str) -> Provisioned | None:
        values = {"source": source, "kind": kind, "id": id}
        found = (await self._connection.execute(_GET, values)).first()
        return None if found is None else _provisioned(found)

    async def some(self, sought: Sought, start: int, most: int) -> list[Provisioned]:
        values = {**msgspec.structs.asdict(sought), "start": start, "most": most}
        return [_provisioned(row) for row in await self._connection.execute(_SOME, values)]

    async def count(self, sought: Sought) -> int:
        found = await self._connection.execute(_COUNT, msgspec.structs.asdict(sought))
        return int(found.scalar_one())

    async def add(self, made: Provisioned) -> bool:
        return await self._done(_ADD, msgspec.structs.asdict(made))

    async def change(self, made: Provisioned, before: str) -> bool:
        return await self._done(_CHANGE, {**msgspec.structs.asdict(made), "before": before})

    async def remove(self, id: str) -> bool:
        return await self._done(_REMOVE, {"id": id})

    async def _done(self, statement: Any, values: dict[str, Any]) -> bool:
        return (await self._connection.execute(statement, values)).rowcount == 1


def _provisioned(row: Row[Any]) -> Provisioned:
    return Provisioned(**row._asdict())
