"""`torhaus migrate`: the tables of the state database, brought up to date."""

import asyncio
from typing import Annotated

import typer

from torhaus.cli.output import NO, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir, Reader, read_or_exit
from torhaus.config.settings import Settings
from torhaus.model.ports import StateError
from torhaus.store.state import migrate as steps
from torhaus.store.state.database import NAME, Database

OnlyLook = Annotated[
    bool, typer.Option("--check", help="Change nothing; exit code 1 when steps are missing.")
]


def migrate(
    *,
    config: ConfigFile = DEFAULT,
    data_dir: DataDir = None,
    check: OnlyLook = False,
    json: AsJson = False,
) -> None:
    """Bring the state database up to date.

    `serve` does it at its start; this is for whoever wants to do it before. Steps only go forward.
    """
    settings = read_or_exit(Reader(path=config, data_dir=data_dir)).settings
    try:
        found = asyncio.run(_missing(settings) if check else _run(settings))
    except StateError as error:
        refuse(f"{error}.")
    if json:
        say_json({"steps": found, "done": not check})
    elif not found:
        say("The state database is up to date.")
    else:
        say("Missing:" if check else "Done:")
        for step in found:
            say(f"  {step}")
    if check and found:
        raise typer.Exit(NO)


async def _run(settings: Settings) -> list[str]:
    database = _database(settings)
    try:
        return await database.open()
    finally:
        await database.close()


async def _missing(settings: Settings) -> list[str]:
    if settings.state_url is None and not (settings.data_dir / NAME).exists():
        return steps.every()  # looking makes no file
    database = _database(settings)
    try:
        await database.connect()
        async with database.read() as connection:
            return await connection.run_sync(steps.missing)
    finally:
        await database.close()


def _database(settings: Settings) -> Database:
    url = settings.state_url
    return Database(None if url is None else url.reveal(), settings.data_dir)
