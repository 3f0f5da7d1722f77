import asyncio
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from tests.torhaus.store.state.requests import approval
from tests.torhaus.store.state.test_clients import client
from torhaus.model.ports import StateError
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.office import StateOffice


def test_an_exception_takes_a_transaction_back(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            with pytest.raises(ZeroDivisionError):
                await failing(office)

            async with office.read() as desk:
                assert await desk.approvals.get("a1") is None

    run(story())


async def failing(office: StateOffice) -> None:
    async with office.write() as desk:
        await desk.approvals.add(approval())
        raise ZeroDivisionError


@pytest.mark.parametrize("odd", ["\0", "dcr\0_1", "dcr_1\0", "\uffff"])
def test_a_name_with_nul_is_nobodys_and_breaks_nothing(place: Place, odd: str) -> None:
    async def story() -> None:
        async with place.office() as office:
            async with office.write() as desk:
                await desk.clients.add(client())
            async with office.read() as desk:
                assert await desk.clients.get(odd) is None
                assert await desk.persons.get(odd) is None
                assert await desk.passwords.get(odd) is None
                assert await desk.clients.get("dcr_1") == client()

    run(story())


def test_a_cancelled_transaction_is_taken_back_and_blocks_nobody(place: Place) -> None:
    async def story() -> None:
        async with place.office() as office:
            inside = asyncio.Event()

            async def slow() -> None:
                async with office.write() as desk:
                    await desk.approvals.add(approval())
                    inside.set()
                    await asyncio.Event().wait()

            task = asyncio.create_task(slow())
            await inside.wait()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

            async with office.write() as desk:
                assert await desk.approvals.get("a1") is None
                assert await desk.approvals.add(approval())

    run(story())


def test_a_hundred_writers_at_once_all_get_their_turn(place: Place) -> None:
    async def write(office: StateOffice, number: int) -> bool:
        async with office.write() as desk:
            return await desk.access.tell_once(f"k{number}", 1.0)

    async def story() -> None:
        async with place.office() as office:
            done = await asyncio.gather(*(write(office, number) for number in range(100)))

        assert all(done)

    run(story())


def test_the_file_is_its_owners_alone(file: Place) -> None:
    async def story() -> None:
        async with file.open() as database:
            async with database.write() as connection:
                await connection.execute(text("INSERT INTO notices VALUES ('k', 1.0)"))
            modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in file.home.iterdir()}

        assert set(modes.values()) == {0o600}
        assert NAME in modes

    run(story())


def test_a_file_that_others_could_read_is_closed_to_them(file: Place) -> None:
    file.home.mkdir()
    (file.home / NAME).touch(0o644)

    async def story() -> None:
        async with file.open():
            assert stat.S_IMODE((file.home / NAME).stat().st_mode) == 0o600

    run(story())


def test_a_database_that_is_not_open_says_so(place: Place) -> None:
    async def story() -> None:
        database = await place.database()
        with pytest.raises(StateError, match="is not open"):
            async with database.read():
                pass
        assert database.trouble == "the state database is not open"

        await database.open()
        assert database.trouble is None
        await database.close()
        with pytest.raises(StateError, match="is closed"):
            async with database.read():
                pass

    run(story())


def test_a_file_that_is_no_database_is_a_sentence(file: Place) -> None:
    file.home.mkdir()
    (file.home / NAME).write_bytes(b"these are my holiday pictures\n" * 200)

    async def story() -> None:
        database = await file.database()
        with pytest.raises(StateError, match="cannot answer: file is not a database"):
            await database.open()
        await database.close()

    run(story())


def test_a_directory_that_cannot_be_made_is_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("a file, no directory")

    async def story() -> None:
        database = Database(None, tmp_path / "data")
        with pytest.raises(StateError, match="cannot be opened: File exists"):
            await database.open()

    run(story())


def test_a_file_that_was_deleted_meanwhile_is_noticed(file: Place) -> None:
    async def story() -> None:
        async with file.office() as office:
            (file.home / NAME).unlink()

            with pytest.raises(StateError, match="its file is gone"):
                async with office.read() as desk:
                    await desk.approvals.get("a1")

    run(story())


def test_what_began_before_a_failure_does_not_hide_it(file: Place) -> None:
    async def story() -> None:
        database = Database(None, file.home)
        await database.open()
        async with database.read() as connection:
            await connection.execute(text("SELECT 1"))
            (file.home / NAME).unlink()
            with pytest.raises(StateError, match="its file is gone"):
                async with database.read():
                    pass
        assert database.trouble is not None
        await database.close()

    run(story())


def test_a_locked_file_fails_after_a_while_and_works_again_then(file: Place) -> None:
    async def locked(database: Database) -> None:
        with closing(sqlite3.connect(file.home / NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            with pytest.raises(StateError, match="database is locked"):
                async with database.write():
                    pass
            assert database.trouble is not None

            async with database.read() as connection:  # readers do not wait for writers
                await connection.execute(text("SELECT 1"))

    async def story() -> None:
        database = Database(None, file.home, patience=0.1)
        await database.open()
        await locked(database)

        async with database.write():
            pass
        assert database.trouble is None
        await database.close()

    run(story())


def test_a_server_that_does_not_answer_is_a_sentence_without_the_password(tmp_path: Path) -> None:
    async def story() -> None:
        database = Database("postgresql://torhaus:very-secret@127.0.0.1:1/state", tmp_path)
        with pytest.raises(StateError, match="cannot answer") as raised:
            await database.open()
        await database.close()

        assert "very-secret" not in str(raised.value)

    run(story())


def test_connections_that_the_server_has_closed_are_replaced(elephant: Place) -> None:
    async def story() -> None:
        async with elephant.office() as office:
            async with office.write() as desk:
                assert await desk.approvals.add(approval())
            async with elephant.open() as other, other.write() as connection:
                await connection.execute(
                    text(
                        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    )
                )

            async with office.read() as desk:
                assert await desk.approvals.get("a1") == approval()

    run(story())


def test_values_never_stand_in_an_error(place: Place) -> None:
    async def story() -> None:
        async with place.open() as database:
            with pytest.raises(StateError) as raised:
                async with database.write() as connection:
                    await connection.execute(
                        text("INSERT INTO no_such_table VALUES (:value)"), {"value": "hunter2"}
                    )

        assert "hunter2" not in str(raised.value)

    run(story())


@pytest.mark.parametrize("mode", ["disable", "prefer"])
def test_tls_is_asked_for_as_libpq_does(mode: str, elephant: Place) -> None:
    async def story() -> None:
        async with elephant.open():
            database = Database(f"{elephant.url}?sslmode={mode}", elephant.home)
            assert await database.open() == []
            await database.close()

    run(story())


@pytest.mark.parametrize("mode", ["require", "verify-ca", "verify-full"])
def test_a_server_without_the_tls_that_was_asked_for_is_refused(mode: str, elephant: Place) -> None:
    async def story() -> None:
        async with elephant.open():
            database = Database(f"{elephant.url}?sslmode={mode}", elephant.home)
            with pytest.raises(StateError, match="rejected SSL upgrade"):
                await database.open()
            await database.close()

    run(story())
