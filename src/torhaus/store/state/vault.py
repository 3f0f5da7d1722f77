"""Credentials for servers in the state database. What is secret in a row is sealed before."""

from typing import Any

import msgspec
from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.vault import Kept, Standing, VaultKind, identity_of
from torhaus.store.state.rings import turn

_COLUMNS = (
    "id, server, email, name, kind, state, version, key_id, sealed, issuer, account, created, "
    "created_by, rotated, expires, used, trouble"
)
_VALUES = ", ".join(f":{name}" for name in _COLUMNS.split(", "))
_ADD = text(f"INSERT INTO vault ({_COLUMNS}) VALUES ({_VALUES})")  # noqa: S608 -- constants
_SELECT = f"SELECT {_COLUMNS} FROM vault "  # noqa: S608 -- constants
_GET = text(_SELECT + "WHERE id = :id")
_OF = text(_SELECT + "WHERE server = :server ORDER BY email, name, state, id")
_THOSE = text(_SELECT + "WHERE server = :server AND email = :email ORDER BY name, state, id")
_EVERY = text(_SELECT + "ORDER BY server, email, name, state, id LIMIT :most")
_NEWEST = text(
    _SELECT + "WHERE rotated >= :since "
    "ORDER BY CASE WHEN email = '' THEN 0 ELSE 1 END, rotated DESC, id LIMIT :most"
)
_MOVE = text("UPDATE vault SET state = :new WHERE id = :id AND state = :old")
_REPLACE = text(
    "UPDATE vault SET version = :version, key_id = :key_id, sealed = :sealed, issuer = :issuer, "
    "account = :account, rotated = :rotated, expires = :expires, used = :used, trouble = :trouble "
    "WHERE id = :id AND version = :old"
)
_REMOVE = text("DELETE FROM vault WHERE id = :id")
_LEAVE = text("DELETE FROM vault WHERE email = :email AND email <> ''")
_DISOWN = (
    "DELETE FROM vault WHERE (server = :place OR (kind = 'oauth-enterprise' AND name = :provider))"
)
_DISOWN_ALL, _DISOWN_ONE = text(_DISOWN), text(f"{_DISOWN} AND email = :email")
_CLAIM = text(
    "UPDATE vault SET used = :until "
    "WHERE id = :id AND version = :version AND (used IS NULL OR used <= :now)"
)
_RELEASE = text("UPDATE vault SET used = NULL WHERE id = :id AND version = :version")
_TROUBLE = text("UPDATE vault SET trouble = :text WHERE id = :id")
_FOREIGN = text(_SELECT + "WHERE key_id <> :key_id ORDER BY id LIMIT :most")
_REWRAP = text(
    "UPDATE vault SET key_id = :key_id, sealed = :sealed "
    "WHERE id = :id AND version = :version AND key_id = :old"
)
_KEY_IDS = text("SELECT DISTINCT key_id FROM vault ORDER BY key_id")
_REVISION = text("SELECT number FROM revisions WHERE name = 'vault'")


class StateVault:
    """The `VaultDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def turn(self) -> None:
        await turn(self._connection)

    async def add(self, kept: Kept) -> None:
        await turn(self._connection, 1)
        await self._connection.execute(_ADD, _columns(kept))

    async def get(self, id: str) -> Kept | None:
        found = (await self._connection.execute(_GET, {"id": id})).first()
        return None if found is None else _kept(found)

    async def of(self, server: str, email: str | None = None) -> list[Kept]:
        query, values = (_OF, {"server": server})
        if email is not None:
            query, values = _THOSE, {"server": server, "email": email}
        return [_kept(row) for row in await self._connection.execute(query, values)]

    async def every(self, most: int) -> list[Kept]:
        return [_kept(row) for row in await self._connection.execute(_EVERY, {"most": most})]

    async def newest(self, since: float, most: int) -> list[Kept]:
        values = {"since": since, "most": most}
        return [_kept(row) for row in await self._connection.execute(_NEWEST, values)]

    async def move(self, id: str, old: Standing, new: Standing) -> bool:
        return await self._change(_MOVE, {"id": id, "old": old.value, "new": new.value})

    async def replace(self, kept: Kept, version: int) -> bool:
        values = {**_columns(kept), "old": version}
        wanted = {name: values[name] for name in _REPLACE.compile().params}
        return await self._change(_REPLACE, wanted)

    async def remove(self, id: str) -> bool:
        return await self._change(_REMOVE, {"id": id})

    async def leave(self, email: str) -> int:
        await turn(self._connection)
        gone = (await self._connection.execute(_LEAVE, {"email": email})).rowcount
        if gone:
            await turn(self._connection, 1)
        return gone

    async def disown(self, provider: str, email: str | None = None) -> int:
        statement = _DISOWN_ALL if email is None else _DISOWN_ONE
        values = {"place": identity_of(provider), "provider": provider}
        values |= {} if email is None else {"email": email}
        await turn(self._connection)
        gone = (await self._connection.execute(statement, values)).rowcount
        if gone:
            await turn(self._connection, 1)
        return gone

    async def claim(self, id: str, version: int, now: float, until: float) -> bool:
        values = {"id": id, "version": version, "now": now, "until": until}
        return (await self._connection.execute(_CLAIM, values)).rowcount == 1

    async def release(self, id: str, version: int) -> None:
        await self._connection.execute(_RELEASE, {"id": id, "version": version})

    async def trouble(self, id: str, text: str) -> None:
        await self._connection.execute(_TROUBLE, {"id": id, "text": text})

    async def foreign(self, key_id: str, most: int) -> list[Kept]:
        values = {"key_id": key_id, "most": most}
        return [_kept(row) for row in await self._connection.execute(_FOREIGN, values)]

    async def rewrap(self, kept: Kept, sealed: bytes, key_id: str) -> bool:
        values = {"id": kept.id, "version": kept.version, "old": kept.key_id}
        values |= {"sealed": sealed, "key_id": key_id}
        return (await self._connection.execute(_REWRAP, values)).rowcount == 1

    async def key_ids(self) -> list[str]:
        return [row.key_id for row in await self._connection.execute(_KEY_IDS)]

    async def revision(self) -> int:
        found = (await self._connection.execute(_REVISION)).first()
        return 0 if found is None else int(found.number)

    async def _change(self, statement: Any, values: dict[str, Any]) -> bool:
        await turn(self._connection)
        if (await self._connection.execute(statement, values)).rowcount != 1:
            return False
        await turn(self._connection, 1)
        return True


def _columns(kept: Kept) -> dict[str, Any]:
    found = msgspec.structs.asdict(kept)
    return {**found, "kind": kept.kind.value, "state": kept.state.value}


def _kept(row: Row[Any]) -> Kept:
    found = row._asdict()
    kind, state = VaultKind(found.pop("kind")), Standing(found.pop("state"))
    return Kept(kind=kind, state=state, sealed=bytes(found.pop("sealed")), **found)
