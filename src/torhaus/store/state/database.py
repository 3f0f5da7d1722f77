"""The state database: opened once, migrated, and read or changed in transactions."""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Any

import asyncpg
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as FullError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from torhaus.model.ports import StateError
from torhaus.model.secret import Secret
from torhaus.store.state import migrate, sqlite
from torhaus.store.state.address import Address, postgres
from torhaus.store.state.address import file as at_file
from torhaus.store.state.line import Line, Lines, driver, takes_changes, took_too_long
from torhaus.store.state.statements import without_nul

NAME = "state.db"
BUSY = 5.0
CONNECTIONS = 8
STATEMENT, MIGRATING = 4.0, 60.0
"""Seconds a PostgreSQL statement may take; one of a migration, which waits for other gateways'."""
LAST = 1.0
WATCH, WATCHERS = 2.0, 3
"""Seconds and connections for the questions who is let in; one of them is listened to."""
PASSIVE = "its server takes no changes: it is a standby, or read-only"

_WRITING = "torhaus_writing"
_DOWN = (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError)


class Database:
    """Owned by one event loop.

    `url`: `postgresql://...`; None for SQLite at `data_dir`/state.db. `patience`: seconds to wait
    for another who writes, or for a connection, of which there are `connections`; `statement`:
    seconds one may take on PostgreSQL. Every failure of the database is a StateError, and so is a
    server that takes no changes: another may have its place. `trouble`: the last one, None when it
    answers.
    """

    def __init__(
        self,
        url: str | None,
        data_dir: Path,
        patience: float = BUSY,
        *,
        statement: float = STATEMENT,
        connections: int = CONNECTIONS,
    ) -> None:
        self._patience = patience
        self._statement = statement
        self._connections = connections
        self._path = data_dir / NAME
        self._address = at_file(self._path) if url is None else postgres(url)
        self._lite = url is None
        # Writers of one process wait here, in order, instead of at SQLite's busy timer.
        self._turn: asyncio.Lock | None = asyncio.Lock() if self._lite else None
        self._lines: Lines | None = None
        self.trouble: str | None = "the state database is not open"
        self._failures = 0

    async def open(self) -> list[str]:
        """Connect, and run the migrations that are missing; returns their names."""
        await self.connect()
        if self._lines is None or self._lite:
            return await self._migrate()
        usual, self._lines = self._lines, self._open(MIGRATING)
        try:
            return await self._migrate()
        finally:
            slow, self._lines = self._lines, usual
            await slow.close()

    async def connect(self) -> None:
        """Without migrations. Does nothing when it is open already."""
        if self._lines is not None:
            return
        if self._lite:
            self._prepare()
        self._lines = self._open(self._statement)
        self.trouble = None

    async def close(self) -> None:
        if self._lines is not None:
            lines, self._lines = self._lines, None
            self.trouble = "the state database is closed"
            await lines.close()

    def hasten(self) -> None:
        """The house closes: a server that does not answer now is not waited for."""
        if self._lines is not None:
            self._lines.hasten(LAST)

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._began(writing=False) as connection:
            yield connection

    @asynccontextmanager
    async def write(self) -> AsyncIterator[AsyncConnection]:
        """Committed at the end of the context, rolled back by an exception."""
        turn: AbstractAsyncContextManager[Any] = nullcontext() if self._turn is None else self._turn
        async with turn, self._began(writing=True) as connection:
            yield connection

    @asynccontextmanager
    async def _began(self, *, writing: bool) -> AsyncIterator[AsyncConnection]:
        if self._lite and self._lines is not None and not self._path.exists():
            # SQLite would go on in the deleted file, or begin an empty one.
            raise self._failed("its file is gone: restore it, and restart")
        failures = self._failures
        try:
            async with self._line() as plain:
                connection = await plain.execution_options(**{_WRITING: writing})
                async with connection.begin():
                    yield connection
        except _DOWN as error:
            raise self._failed(_said(error)) from error
        if failures == self._failures:  # else it began before what failed, and proves nothing
            self.trouble = None

    @asynccontextmanager
    async def bare(self) -> AsyncIterator[asyncpg.Connection]:
        """A line of PostgreSQL's own driver, in no transaction, which ends with the context."""
        try:
            async with self._line() as plain:
                try:
                    yield driver(plain)
                except (asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                    raise StateError(_said(error)) from error
                finally:
                    await plain.invalidate()
        except _DOWN as error:
            raise self._failed(_said(error)) from error

    @asynccontextmanager
    async def _line(self) -> AsyncIterator[AsyncConnection]:
        if self._lines is None:
            raise StateError(self.trouble or "the state database is closed")
        async with self._lines.line() as plain:
            if not takes_changes(plain):
                await plain.invalidate()
                raise self._failed(PASSIVE)
            yield plain

    async def _migrate(self) -> list[str]:
        async with self.write() as connection:
            return await connection.run_sync(migrate.upgrade)

    def _open(self, statement: float) -> Lines:
        if self._lite:
            return Lines(_sqlite_engine(self._address, self._patience, self._connections), None)
        patience, most = self._patience, self._connections
        return Lines(_postgres_engine(self._address, patience, most, statement), patience)

    def _failed(self, why: str) -> StateError:
        self._failures += 1
        self.trouble = f"the state database cannot answer: {why}"
        return StateError(self.trouble)

    def _prepare(self) -> None:
        """The file and its directory, readable by their owner alone."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            os.close(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600))
            self._path.chmod(0o600)  # what SQLite puts beside it gets the same mode
        except OSError as error:
            said = error.strerror or type(error).__name__
            raise StateError(f"the state database {self._path} cannot be opened: {said}") from error
        try:
            _write_ahead(self._path, self._patience)
        except sqlite3.Error as error:
            raise self._failed(_said(error)) from error


def _write_ahead(path: Path, patience: float) -> None:
    """WAL mode stays with the file. SQLite does not wait for the switch, so it is tried again."""
    limit = time.monotonic() + patience
    while not _switched(path, last=time.monotonic() > limit):
        time.sleep(0.02)


def _switched(path: Path, *, last: bool) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if last:
                raise
            return False
    return True


def _sqlite_engine(address: Address, patience: float, most: int) -> AsyncEngine:
    path = Path(str(address.url.database))
    engine = create_async_engine(
        address.url,
        pool_size=most,
        max_overflow=0,
        pool_timeout=patience,
        hide_parameters=True,  # values of statements would be secrets in a log
        async_creator=lambda: sqlite.connect(path, patience),
    )
    event.listen(engine.sync_engine, "connect", _settle)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _postgres_engine(address: Address, patience: float, most: int, statement: float) -> AsyncEngine:
    limits = {"timeout": patience, "command_timeout": statement, "connection_class": Line}
    engine = create_async_engine(
        address.url,
        pool_size=most,
        max_overflow=0,
        pool_timeout=patience * 0.9,  # so that it is heard why
        pool_pre_ping=True,
        hide_parameters=True,  # as above
        connect_args={**limits, **address.more},
    )
    event.listen(engine.sync_engine, "before_cursor_execute", _sending, retval=True)
    return engine


def _sending(
    _connection: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: object
) -> tuple[str, Any]:
    """PostgreSQL has no NUL in texts, and says so as it says that it is broken."""
    if many:
        return statement, [without_nul(each) for each in parameters]
    return statement, without_nul(parameters)


def _settle(connection: Any, _record: object) -> None:
    """Each new SQLite connection. We begin transactions ourselves, see `_begin`."""
    connection.isolation_level = None
    cursor = connection.cursor()
    cursor.execute("PRAGMA synchronous=FULL")
    cursor.close()


def _begin(connection: Any) -> None:
    """A writer that began as a reader could not wait for its turn (SQLITE_BUSY_SNAPSHOT)."""
    writing = connection.get_execution_options().get(_WRITING, True)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _said(error: Exception) -> str:
    """One line, without the statement and without addresses that could hold a password."""
    inner = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    if took_too_long(error):
        return "it took too long"
    if isinstance(inner, FullError):
        return "all of its connections are busy"
    words = str(inner).strip().splitlines()
    return words[0][:200] if words else type(inner).__name__


def databases(url: Secret | None, data_dir: Path) -> tuple[Database, Database]:
    """The one for all there is, and the one that says who is let in: the same one.

    Whoever keeps the connections of the first busy keeps none of the second, whose silence closes
    the gate (`admin/following.py`).
    """
    if url is None:
        file = Database(None, data_dir)
        return file, file
    watched = Database(url.reveal(), data_dir, WATCH, statement=WATCH, connections=WATCHERS)
    return Database(url.reveal(), data_dir), watched
