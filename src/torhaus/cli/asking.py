"""What commands that only decide know of people: the file, and the state database where it is."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

import msgspec
import typer

from torhaus.admin.standing import standing
from torhaus.config.load import Loaded
from torhaus.config.settings import Settings
from torhaus.config.stopping import with_stops
from torhaus.gate.explain import Explanation, Known, Question, explain
from torhaus.model.credentials import Credential, CredentialKind
from torhaus.model.grant import Grant
from torhaus.model.person import NOBODY, Roster
from torhaus.model.ports import StateError
from torhaus.model.rules import Rules
from torhaus.model.standing import Standing
from torhaus.store.state import migrate
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.office import StateOffice

PATIENCE = 3.0
FileOnly = Annotated[bool, typer.Option("--file-only", help="Without the state database.")]


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """What the database says: of everybody, and of one person. `keys`: those that are good."""

    standing: Standing
    roster: Roster = NOBODY
    grants: tuple[Grant, ...] = ()
    keys: tuple[Credential, ...] = ()


class Judge:
    """Answers questions about calls. `told`: None where there is no database."""

    def __init__(self, loaded: Loaded, told: Told | None = None) -> None:
        self.loaded = loaded
        self._told = told
        self._known = Known(None if told is None else told.standing, loaded.blueprint.places)
        self._rules = self._given(())

    def answer(self, question: Question, now: float, more: Sequence[Grant] = ()) -> Explanation:
        """`more`: roles that he had besides. Raises ValueError for arguments that are none."""
        rules = self._given(more) if more else self._rules
        return explain(rules, question, now, self._known)

    def roles(self, email: str, now: float) -> tuple[str, ...] | None:
        """Those that somebody has; None for nobody."""
        who = self._rules.principals.get(email)
        return None if who is None else who.roles(now)

    def _given(self, more: Sequence[Grant]) -> Rules:
        told = self._told
        if told is None:
            return self.loaded.with_grants(more).rules if more else self.loaded.rules
        rules = self.loaded.with_grants((*told.grants, *more), told.roster).rules
        return with_stops(rules, told.standing.stops)


def has_database(settings: Settings) -> bool:
    """Whether a gateway has begun one; looking makes none."""
    return settings.state_url is not None or (settings.data_dir / NAME).exists()


def database_of(settings: Settings, email: str, key: str, now: float) -> Told:
    """What it says of somebody, or of the owner of a key. Raises StateError."""
    return asyncio.run(_asked(settings, email, key, now))


async def _asked(settings: Settings, email: str, key: str, now: float) -> Told:
    url = settings.state_url
    database = Database(None if url is None else url.reveal(), settings.data_dir, PATIENCE)
    await database.connect()
    try:
        async with database.read() as connection:
            if await connection.run_sync(migrate.missing):
                raise StateError("the state database is not up to date: torhaus migrate")
        async with StateOffice(database).read() as desk:
            return Told(
                standing=await standing(desk, email, key, now),
                roster=Roster(
                    persons=tuple(await desk.persons.every()),
                    teams=tuple(await desk.teams.every()),
                    members=tuple(await desk.teams.members()),
                ),
                grants=tuple(await desk.access.in_force(now)),
                keys=tuple(
                    each
                    for each in await desk.credentials.live(now)
                    if each.kind is CredentialKind.KEY
                ),
            )
    finally:
        await database.close()
