"""Desks on the state database: one transaction each, with all its tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.store.state.access import StateAccess
from torhaus.store.state.approvals import StateApprovals
from torhaus.store.state.database import Database
from torhaus.store.state.pins import StatePins
from torhaus.store.state.usage import StateUsage


class StateDesk:
    """A `Desk` on one connection's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.approvals = StateApprovals(connection)
        self.access = StateAccess(connection)
        self.tools = StatePins(connection)
        self.usage = StateUsage(connection)


class StateOffice:
    """An `Office` on the state database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    @asynccontextmanager
    async def write(self) -> AsyncIterator[StateDesk]:
        async with self._database.write() as connection:
            yield StateDesk(connection)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[StateDesk]:
        async with self._database.read() as connection:
            yield StateDesk(connection)
