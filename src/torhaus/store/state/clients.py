"""Clients that registered themselves, in the state database."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.oauth import Client
from torhaus.store.state.statements import insert, select

_CLIENT = "id, kind, name, document, secret, created, used, ip"
_ADD = insert("clients", _CLIENT)
_GET = select("clients", _CLIENT, "id = :id")
_USE = text("UPDATE clients SET used = :now WHERE id = :id")
_COUNT = text("SELECT COUNT(*) FROM clients")
_FORGET_UNUSED = text("DELETE FROM clients WHERE used IS NULL AND created < :before")
_FORGET_OLDEST = text(
    "DELETE FROM clients WHERE id = (SELECT id FROM clients WHERE used IS NULL "
    "ORDER BY created, id LIMIT 1)"
)


class _Document(msgspec.Struct, frozen=True):
    redirect_uris: tuple[str, ...]
    method: str


class StateClients:
    """The `ClientDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, client: Client) -> None:
        document = _Document(client.redirect_uris, client.method)
        values = {
            "id": client.id,
            "kind": client.kind,
            "name": client.name,
            "document": msgspec.json.encode(document).decode(),
            "secret": client.secret,
            "created": client.created,
            "used": client.used,
            "ip": client.ip,
        }
        await self._connection.execute(_ADD, values)

    async def get(self, id: str) -> Client | None:
        found = (await self._connection.execute(_GET, {"id": id})).first()
        return None if found is None else _client(found)

    async def use(self, id: str, now: float) -> None:
        await self._connection.execute(_USE, {"id": id, "now": now})

    async def count(self) -> int:
        return int((await self._connection.execute(_COUNT)).scalar_one())

    async def forget_unused(self, before: float) -> int:
        return (await self._connection.execute(_FORGET_UNUSED, {"before": before})).rowcount

    async def forget_oldest(self) -> bool:
        return (await self._connection.execute(_FORGET_OLDEST)).rowcount == 1


def _client(row: Row[Any]) -> Client:
    document = msgspec.json.decode(row.document, type=_Document)
    return Client(
        id=row.id,
        kind=row.kind,
        name=row.name,
        redirect_uris=document.redirect_uris,
        method=document.method,
        secret=None if row.secret is None else bytes(row.secret),
        created=row.created,
        used=row.used,
        ip=row.ip,
    )
