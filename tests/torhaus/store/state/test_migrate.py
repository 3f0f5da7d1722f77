import asyncio

import pytest
from sqlalchemy import inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.model.ports import StateError
from torhaus.store.state import migrate

TABLES = {"alembic_version", "approvals", "access_requests", "grants", "notices"}
UNDOING = {
    "0006": (
        "ALTER TABLE persons DROP COLUMN responsible",
        "ALTER TABLE teams DROP COLUMN servers",
    ),
    "0007": ("ALTER TABLE families DROP COLUMN proved",),
    "0008": ("ALTER TABLE provisioned DROP COLUMN known_as",),
    "0009": ("DROP INDEX credentials_expires", "DROP INDEX families_expires"),
}


async def _undone(connection: AsyncConnection, step: str) -> None:
    """A database as it was after this step."""
    for number, statements in UNDOING.items():
        for each in statements if number > step else ():
            await connection.execute(text(each))
    await connection.execute(text(f"UPDATE alembic_version SET version_num = '{step}'"))


def test_a_new_database_gets_every_table(empty: Place) -> None:
    async def story() -> None:
        database = await empty.database()
        steps = await database.open()
        async with database.read() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
            again = await connection.run_sync(migrate.missing)
        await database.close()

        assert steps[0].startswith("0001: ")
        assert set(tables) >= TABLES
        assert again == []

    run(story())


def test_what_is_missing_can_be_asked_without_changing_anything(empty: Place) -> None:
    async def story() -> None:
        database = await empty.database()
        await database.connect()
        async with database.read() as connection:
            missing = await connection.run_sync(migrate.missing)
        async with database.read() as connection:
            tables = await connection.run_sync(lambda sync: inspect(sync).get_table_names())
        await database.close()

        assert missing[0].startswith("0001: ")
        assert tables == []

    run(story())


def test_processes_that_start_at_once_migrate_once(empty: Place) -> None:
    async def story() -> None:
        databases = [await empty.database() for _ in range(4)]
        steps = await asyncio.gather(*(each.open() for each in databases))
        for each in databases:
            await each.close()

        assert sorted(map(len, steps))[:3] == [0, 0, 0]
        assert max(map(len, steps)) >= 1

    run(story())


def test_a_database_of_a_newer_version_is_left_alone(empty: Place) -> None:
    async def story() -> None:
        async with empty.open() as database, database.write() as connection:
            await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

        newer = await empty.database()
        with pytest.raises(StateError, match="at step 9999, which this version does not know"):
            await newer.open()
        await newer.close()

    run(story())


def test_a_step_that_fails_leaves_nothing_behind(empty: Place) -> None:
    async def story() -> None:
        database = await empty.database()
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


def test_of_sessions_of_an_older_version_nobody_knows_when_their_owner_proved_himself(
    empty: Place,
) -> None:
    async def story() -> None:
        async with empty.open() as database, database.write() as connection:
            await _undone(connection, "0006")
            await connection.execute(
                text(
                    "INSERT INTO families (id, kind, email, label, created, used, expires, ip, "
                    "reason) VALUES ('s', 'session', 'a@x.org', '', 1, 1, 9e9, '', '')"
                )
            )

        async with empty.office() as office, office.read() as desk:
            session = await desk.families.get("s")
        assert session is not None
        assert session.proved is None

    run(story())


def test_people_and_teams_of_an_older_version_stay_as_they_were(empty: Place) -> None:
    async def story() -> None:
        async with empty.open() as database, database.write() as connection:
            await _undone(connection, "0005")
            await connection.execute(
                text("INSERT INTO teams (name, owner, roles, changed) VALUES ('web', 'x', '[]', 1)")
            )
            await connection.execute(
                text(
                    "INSERT INTO persons (email, kind, state, owner, name, roles, servers, epoch, "
                    "created, created_by, changed) VALUES ('ci@x.org', 'service', 'active', "
                    "'database', '', '[]', '[]', 0, 1, 'x', 1)"
                )
            )

        async with empty.office() as office, office.read() as desk:
            person, team = await desk.persons.get("ci@x.org"), await desk.teams.get("web")
        assert person is not None
        assert team is not None
        assert (person.responsible, team.servers) == ("", ())

    run(story())


def test_users_of_a_source_are_known_by_the_address_they_had_in_an_older_version(
    empty: Place,
) -> None:
    async def story() -> None:
        async with empty.open() as database, database.write() as connection:
            await _undone(connection, "0007")
            await connection.execute(
                text(
                    "INSERT INTO provisioned (id, kind, source, name, email, document, created, "
                    "changed) VALUES ('u', 'user', 'okta', 'a', 'a@x.org', '{}', 1, 1)"
                )
            )

        async with empty.office() as office, office.read() as desk:
            user = await desk.provisioned.get("okta", "user", "u")
        assert user is not None
        assert (user.email, user.known_as) == ("a@x.org", None)

    run(story())
