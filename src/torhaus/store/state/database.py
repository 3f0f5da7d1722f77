"""The state database: opened once, migrated, and read or changed in transactions."""

import asyncio
import os
import sqlite3
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing, nullcontext
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from torhaus.model.ports import StateError
from torhaus.store.state import migrate

NAME = "state.db"
BUSY = 5.0
CONNECTIONS = 8
STATEMENT = 10
"""Seconds a PostgreSQL statement may take."""

_UNVERIFIED = ("disable", "allow", "prefer", "require")
_WRITING = "torhaus_writing"
_DOWN = (SQLAlchemyError, sqlite3.Error, OSError, TimeoutError)


class Address(msgspec.Struct, frozen=True):
    """Where the database is, and what the driver's `connect` takes besides."""

    url: URL
    more: Mapping[str, Any] = {}


class Database:
    """Owned by one event loop.

    `url`: `postgresql://...`; None for SQLite at `data_dir`/state.db. `patience`: seconds to wait
    for another who writes, or for a connection. Every failure of the database is a
    StateError. `trouble`: the last one, None when it answers.
    """

    def __init__(self, url: str | None, data_dir: Path, patience: float = BUSY) -> None:
        self._patience = patience
        self._path = data_dir / NAME
        self._address = _sqlite(self._path) if url is None else _postgres(url)
        self._lite = url is None
        # Writers of one process wait here, in order, instead of at SQLite's busy timer.
        self._turn: asyncio.Lock | None = asyncio.Lock() if self._lite else None
        self._engine: AsyncEngine | None = None
        self.trouble: str | None = "the state database is not open"

    async def open(self) -> list[str]:
        """Connect, and run the migrations that are missing; returns their names."""
        await self.connect()
        async with self.write() as connection:
            return await connection.run_sync(migrate.upgrade)

    async def connect(self) -> None:
        """Without migrations. Does nothing when it is open already."""
        if self._engine is not None:
            return
        if self._lite:
            self._prepare()
        self._engine = _engine(self._address, self._patience, lite=self._lite)
        self.trouble = None

    async def close(self) -> None:
        if self._engine is not None:
            engine, self._engine = self._engine, None
            self.trouble = "the state database is closed"
            await engine.dispose()

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
        if self._engine is None:
            raise StateError(self.trouble or "the state database is closed")
        if self._lite and not self._path.exists():
            # SQLite would go on in the deleted file, or begin an empty one.
            raise self._failed("its file is gone: restore it, and restart")
        try:
            async with self._engine.connect() as plain:
                connection = await plain.execution_options(**{_WRITING: writing})
                async with connection.begin():
                    yield connection
        except _DOWN as error:
            raise self._failed(_said(error)) from error
        self.trouble = None

    def _failed(self, why: str) -> StateError:
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


def _sqlite(path: Path) -> Address:
    return Address(URL.create("sqlite+aiosqlite", database=str(path)))


def _postgres(url: str) -> Address:
    """Raises StateError, which does not repeat the URL: it holds the password."""
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as error:
        raise StateError("storage.state is not a URL: write postgresql://user@host/name") from error
    if parsed.drivername not in ("postgresql", "postgres", "postgresql+asyncpg"):
        raise StateError("storage.state must begin with postgresql://")
    asked = {name: str(value) for name, value in parsed.query.items()}
    mode, root = asked.pop("sslmode", None), asked.pop("sslrootcert", None)
    if asked:
        raise StateError(f"storage.state has an option that is not known: {', '.join(asked)}")
    return Address(
        parsed.set(drivername="postgresql+asyncpg", query={}),
        {} if mode is None else {"ssl": _tls(mode, root)},
    )


def _tls(mode: str, root: str | None) -> ssl.SSLContext | str:
    """Libpq's sslmode; without sslrootcert, the system's authorities are trusted."""
    if mode in _UNVERIFIED:
        return mode
    if mode not in ("verify-ca", "verify-full"):
        raise StateError(f"storage.state: sslmode is {', '.join(_UNVERIFIED)} or verify-full")
    try:
        context = ssl.create_default_context(cafile=root)
    except OSError as error:
        raise StateError("storage.state: the file of sslrootcert cannot be used") from error
    context.check_hostname = mode == "verify-full"
    return context


def _engine(address: Address, patience: float, *, lite: bool) -> AsyncEngine:
    url = address.url
    # Values of statements would be secrets in a log.
    common: dict[str, Any] = {"hide_parameters": True, "pool_timeout": patience}
    if lite:
        engine = create_async_engine(
            url, pool_size=CONNECTIONS, max_overflow=0, connect_args={"timeout": patience}, **common
        )
        event.listen(engine.sync_engine, "connect", _settle)
        event.listen(engine.sync_engine, "begin", _begin)
        return engine
    return create_async_engine(
        url,
        pool_size=CONNECTIONS,
        max_overflow=0,
        pool_pre_ping=True,
        connect_args={"timeout": patience, "command_timeout": STATEMENT, **address.more},
        **common,
    )


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
    if isinstance(inner, TimeoutError):
        return "it took too long"
    words = str(inner).strip().splitlines()
    return words[0][:200] if words else type(inner).__name__
