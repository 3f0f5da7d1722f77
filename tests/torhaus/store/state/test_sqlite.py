import asyncio
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from tests.torhaus.cast import run
from tests.torhaus.store.state.databases import Place
from torhaus.model.ports import StateError
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.sqlite import Connection

MAKE = "CREATE TABLE notes (id INTEGER PRIMARY KEY, word TEXT)"


class Counting(Connection):
    """Knows how often it has been at its thread."""

    visits = 0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self.visits += 1
        return await super()._execute(fn, *args, **kwargs)


@asynccontextmanager
async def line(at: Path) -> AsyncIterator[Counting]:
    async with Counting(
        lambda: sqlite3.connect(at / "notes.db", isolation_level=None), iter_chunk_size=64
    ) as made:
        cursor = made.cursor()
        await cursor.execute(MAKE)
        made.visits = 0
        yield made


def test_a_statement_with_all_its_rows_is_one_visit(tmp_path: Path) -> None:
    async def story() -> None:
        async with line(tmp_path) as at:
            cursor = await at.cursor().__aenter__()
            await cursor.executemany("INSERT INTO notes VALUES (?, ?)", [(1, "a"), (2, "b")])
            assert (cursor.rowcount, at.visits) == (2, 1)

            await cursor.execute("SELECT id, word FROM notes WHERE id > ? ORDER BY id", (0,))
            rows = await cursor.fetchall()
            await cursor.close()

            assert rows == [(1, "a"), (2, "b")]
            assert [each[0] for each in cursor.description] == ["id", "word"]
            assert await cursor.fetchall() == []
            assert at.visits == 2

    run(story())


def test_what_a_change_gives_back_is_counted(tmp_path: Path) -> None:
    async def story() -> None:
        async with line(tmp_path) as at:
            cursor = at.cursor()
            await cursor.execute("INSERT INTO notes (word) VALUES ('a'), ('b')")
            assert cursor.lastrowid == 2

            await cursor.execute("UPDATE notes SET word = 'c' RETURNING id")

            assert cursor.rowcount == 2
            assert await cursor.fetchall() == [(1,), (2,)]

    run(story())


def test_nothing_is_taken_back_where_nothing_is_open(tmp_path: Path) -> None:
    async def story() -> None:
        async with line(tmp_path) as at:
            cursor = at.cursor()
            await cursor.execute("SELECT 1")
            before = at.visits

            await at.rollback()
            assert at.visits == before

            await cursor.execute("BEGIN")
            await cursor.execute("INSERT INTO notes (word) VALUES ('a')")
            await at.rollback()

            assert not at.in_transaction
            await cursor.execute("SELECT * FROM notes")
            assert await cursor.fetchall() == []

    run(story())


def test_what_is_begun_after_nobody_waits_any_more_is_taken_back(tmp_path: Path) -> None:
    """A rollback that only looked would see no transaction yet: its BEGIN is still to come."""

    async def story() -> None:
        async with line(tmp_path) as at:
            with closing(sqlite3.connect(tmp_path / "notes.db", isolation_level=None)) as other:
                other.execute("BEGIN IMMEDIATE")
                task = asyncio.create_task(at.cursor().execute("BEGIN IMMEDIATE"))
                await asyncio.sleep(0)
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)
                assert not at.in_transaction
                back = asyncio.create_task(at.rollback())
                await asyncio.sleep(0.05)
                assert not back.done()

                other.rollback()
                await back

                assert not at.in_transaction
                other.execute("BEGIN IMMEDIATE")  # nobody is in its way

    run(story())


def test_a_statement_that_fails_says_why_and_blocks_nobody(tmp_path: Path) -> None:
    async def story() -> None:
        async with line(tmp_path) as at:
            cursor = at.cursor()
            await cursor.execute("BEGIN IMMEDIATE")
            with pytest.raises(sqlite3.OperationalError, match="no such table"):
                await cursor.execute("INSERT INTO nowhere VALUES (1)")
            assert await cursor.fetchall() == []

            await at.rollback()

            await cursor.execute("BEGIN IMMEDIATE")
            await at.rollback()

    run(story())


def test_a_writer_who_is_cancelled_while_he_waits_leaves_the_file_to_others(file: Place) -> None:
    async def story() -> None:
        database = Database(None, file.home, patience=0.5)
        await database.open()
        with closing(sqlite3.connect(file.home / NAME, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            task = asyncio.create_task(write(database))
            await asyncio.sleep(0.1)
            task.cancel()
            other.rollback()
            await asyncio.gather(task, return_exceptions=True)

            other.execute("BEGIN IMMEDIATE")
            other.rollback()
        await write(database)
        await database.close()

    async def write(database: Database) -> None:
        async with database.write() as connection:
            await connection.execute(text("DELETE FROM notices"))

    run(story())


def test_one_that_cannot_be_opened_is_a_sentence(tmp_path: Path) -> None:
    async def story() -> None:
        database = Database(None, tmp_path)
        await database.connect()
        (tmp_path / NAME).unlink()
        (tmp_path / NAME).mkdir()

        with pytest.raises(StateError, match="unable to open database file"):
            async with database.read():
                pass
        await database.close()
        await asyncio.to_thread(gone)

    def gone() -> None:
        """Its thread tells the loop that it ends, so it must do so before the loop does."""
        for each in threading.enumerate():
            if "connection_worker" in each.name:
                each.join()

    run(story())
