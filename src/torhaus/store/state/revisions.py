"""Numbers that grow with every change other processes must hear of."""

from collections.abc import Mapping

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.store.state.statements import put

CREDENTIALS, PEOPLE, STOPS = "credentials", "people", "stops"
GRANTS, APPROVALS, TOOLS = "grants", "approvals", "tools"
"""What has no number: whoever hears of it looks at it."""
CHANNEL = "torhaus"
_ALL = "all"

# Whoever counts holds this row until his transaction ends: the numbers become visible in their
# order, so a reader who has seen one has not missed a smaller one.
_COUNT = text(
    "INSERT INTO revisions (name, number) VALUES (:name, 1) "
    "ON CONFLICT (name) DO UPDATE SET number = revisions.number + 1 RETURNING number"
)
_PUT = put("revisions", "name, number", ["name"])
# PostgreSQL tells it when the transaction is kept, and each thing once for one.
_PUT_AND_TELL = put(
    "revisions", "name, number", ["name"], f" RETURNING pg_notify('{CHANNEL}', revisions.name)"
)
_TELL = text("SELECT pg_notify(:channel, :what)")
_EVERY = text("SELECT name, number FROM revisions")


class StateRevisions:
    """The `RevisionDesk` of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def turn(self) -> None:
        await self._connection.execute(_COUNT, {"name": _ALL})

    async def every(self) -> Mapping[str, int]:
        return {row.name: row.number for row in await self._connection.execute(_EVERY)}


async def bump(connection: AsyncConnection, name: str) -> int:
    """A new number, larger than every one before. Ask first, change rows after.

    Whoever locks rows before this can meet another who holds the number and waits for them.
    """
    number = int((await connection.execute(_COUNT, {"name": _ALL})).scalar_one())
    statement = _PUT_AND_TELL if _tells(connection) else _PUT
    await connection.execute(statement, {"name": name, "number": number})
    return number


async def tell(connection: AsyncConnection, what: str) -> None:
    """Tell other gateways, once the transaction is kept. SQLite has one gateway: nobody hears."""
    if _tells(connection):
        await connection.execute(_TELL, {"channel": CHANNEL, "what": what})


def _tells(connection: AsyncConnection) -> bool:
    return connection.dialect.name == "postgresql"
