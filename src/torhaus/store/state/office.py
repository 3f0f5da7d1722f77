"""Desks on the state database: one transaction each, with all its tables."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from sqlalchemy.ext.asyncio import AsyncConnection

from torhaus.store.state.access import StateAccess
from torhaus.store.state.approvals import StateApprovals
from torhaus.store.state.clients import StateClients
from torhaus.store.state.codes import StateCodes
from torhaus.store.state.credentials import StateCredentials
from torhaus.store.state.database import Database
from torhaus.store.state.departures import StateDepartures
from torhaus.store.state.families import StateFamilies
from torhaus.store.state.identities import StateIdentities
from torhaus.store.state.invitations import StateInvitations
from torhaus.store.state.passwords import StatePasswords
from torhaus.store.state.persons import StatePersons
from torhaus.store.state.pins import StatePins
from torhaus.store.state.provisioned import StateProvisioned
from torhaus.store.state.refreshes import StateRefreshes
from torhaus.store.state.revisions import StateRevisions
from torhaus.store.state.rings import StateRings
from torhaus.store.state.seen import StateSeen
from torhaus.store.state.stops import StateStops
from torhaus.store.state.teams import StateTeams
from torhaus.store.state.usage import StateUsage
from torhaus.store.state.vault import StateVault


class StateDesk:
    """A `Desk` on one connection's transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self.approvals = StateApprovals(connection)
        self.access = StateAccess(connection)
        self.tools = StatePins(connection)
        self.usage = StateUsage(connection)
        self.persons = StatePersons(connection)
        self.teams = StateTeams(connection)
        self.credentials = StateCredentials(connection)
        self.families = StateFamilies(connection)
        self.stops = StateStops(connection)
        self.revisions = StateRevisions(connection)
        self.vault = StateVault(connection)
        self.rings = StateRings(connection)
        self.clients = StateClients(connection)
        self.codes = StateCodes(connection)
        self.refreshes = StateRefreshes(connection)
        self.departures = StateDepartures(connection)
        self.identities = StateIdentities(connection)
        self.invitations = StateInvitations(connection)
        self.passwords = StatePasswords(connection)
        self.provisioned = StateProvisioned(connection)
        self.seen = StateSeen(connection)


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
