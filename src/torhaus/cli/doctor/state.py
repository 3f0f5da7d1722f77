"""The state database, as the doctor sees it: whether it answers, what is stopped or too old."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime

from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.config.settings import Settings
from torhaus.model.ports import StateError
from torhaus.model.stops import Stop
from torhaus.model.vault import Kept, Rotation
from torhaus.policy.aging import Aged, aged
from torhaus.store.state import migrate
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.office import StateOffice

PATIENCE = 3.0
MOST = 1000
DAY = 86400.0


def findings(settings: Settings, rotation: Rotation, now: datetime) -> Iterator[Finding]:
    if settings.state_url is None and not (settings.data_dir / NAME).exists():
        return  # no gateway has begun one, and looking makes none
    check = "state database"
    try:
        missing, stops, kept = asyncio.run(_asked(settings, now.timestamp()))
    except StateError as error:
        fix = "start it, or correct storage.state; without it nobody starts, and keys are refused"
        yield bad(check, str(error), fix)
        return
    if missing:
        yield doubt(check, f"it lacks {len(missing)} steps", "torhaus migrate, or start a gateway")
        return
    yield good(check, "it answers and is up to date")
    for stop in stops:
        yield doubt("stopped", _said(stop), f"when it is over: torhaus stop lift {stop.id}")
    for each in kept:
        yield from _age(each, rotation, now.timestamp())


def _age(kept: Kept, rotation: Rotation, now: float) -> Iterator[Finding]:
    found = aged(kept, rotation, now)
    if found is None:
        return
    days, limit = int((now - kept.rotated) // DAY), int(rotation.limit // DAY)
    text = f"that of {kept.server} is {days} days old; policy allows {limit}"
    fix = f"torhaus secrets rotate {kept.server}"
    if found is Aged.OVER and rotation.enforce:
        yield bad("stored credential", f"{text}, so it is not used any more", fix)
    else:
        yield doubt("stored credential", text, fix)


async def _asked(settings: Settings, now: float) -> tuple[list[str], list[Stop], list[Kept]]:
    """The steps that are missing, or else the stops in force and what is stored for servers."""
    url = settings.state_url
    database = Database(None if url is None else url.reveal(), settings.data_dir, PATIENCE)
    await database.connect()
    try:
        async with database.read() as connection:
            missing = await connection.run_sync(migrate.missing)
        if missing:
            return missing, [], []
        async with StateOffice(database).read() as desk:
            return [], await desk.stops.in_force(now), await desk.vault.newest(0.0, MOST)
    finally:
        await database.close()


def _said(stop: Stop) -> str:
    since = datetime.fromtimestamp(stop.created, UTC)
    until = "it is lifted"
    if stop.expires is not None:
        until = f"{datetime.fromtimestamp(stop.expires, UTC):%Y-%m-%d %H:%M} UTC"
    about = f"{stop.kind.value} {stop.target}, by {stop.created_by} since {since:%Y-%m-%d %H:%M}"
    return f"{about} until {until}: {stop.reason}"
