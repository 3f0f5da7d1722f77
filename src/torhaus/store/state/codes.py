"""Authorization codes in the state database: their digests, never themselves."""

import msgspec
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.model.oauth import Code
from torhaus.store.state.statements import insert, select

_CODE = "digest, family, client_id, redirect_uri, audience, challenge, expires, used"
_ADD = insert("codes", _CODE)
_GET = select("codes", _CODE, "digest = :digest")
_USE = text("UPDATE codes SET used = :now WHERE digest = :digest AND used IS NULL")
_FORGET = text("DELETE FROM codes WHERE expires < :before")


class StateCodes:
    """The `CodeDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def add(self, code: Code) -> None:
        await self._connection.execute(_ADD, msgspec.structs.asdict(code))

    async def get(self, digest: bytes) -> Code | None:
        found = (await self._connection.execute(_GET, {"digest": digest})).first()
        if found is None:
            return None
        return Code(**{**found._asdict(), "digest": bytes(found.digest)})

    async def use(self, digest: bytes, now: float) -> bool:
        done = await self._connection.execute(_USE, {"digest": digest, "now": now})
        return done.rowcount == 1

    async def forget(self, before: float) -> int:
        return (await self._connection.execute(_FORGET, {"before": before})).rowcount
