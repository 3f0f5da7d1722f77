import asyncio

import pytest
from sqlalchemy import inspect, text

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.model.ports import StateError
from torhaus.store.state import migrate

TABLES = {"alembic_version", "approvals", "access_requests", "grants", "notices"}


def test_a_new_database_gets_every_table(place: Place) -> None:
    async def story() -> None:
        database = await place.database()
        steps = await database.open()
        async with database.read() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            again = await connection.run_sync(migrate.missing)
        await database.close()

        assert steps[0].startswith("0001: ")
        assert set(tables) >= TABLES
        assert again == []

    run(story())


def test_what_is_missing_can_be_asked_without_changing_anything(place: Place) -> None:
    async def story() -> None:
        database = await place.database()
        await database.connect()
        async with database.read() as connection:
            missing = await connection.run_sync(migrate.missing)
        async with database.read() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await database.close()

        assert missing[0].startswith("0001: ")
        assert tables == []

    run(story())


def test_processes_that_start_at_once_migrate_once(place: Place) -> None:
    async def story() -> None:
        databases = [await place.database() for _ in range(4)]
        steps = await asyncio.gather(*(each.open() for each in databases))
        for each in databases:
            await each.close()

        assert sorted(map(len, steps))[:3] == [0, 0, 0]
        assert max(map(len, steps)) >= 1

    run(story())


def test_a_database_of_a_newer_version_is_left_alone(place: Place) -> None:
    async def story() -> None:
        async with place.open() as database, database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        newer = await place.database()
        with pytest.raises(StateError, match="at step 9999, which this version does not know"):
            await newer.open()
        await newer.close()

    run(story())


def test_a_step_that_fails_leaves_nothing_behind(place: Place) -> None:
    async def story() -> None:
        database = await place.database()
        await database.connect()
        async with database.write() as connection:
            await connection.execute(text("CREATE TABLE grants (id TEXT)"))

        with pytest.raises(StateError, match="grants"):
            await database.open()

        async with database.read() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await database.close()
        assert tables == ["grants"]

    run(story())
