"""Databases for tests: a file each, and one PostgreSQL server with a database each.

They are copies of one that has been brought to the newest step already, which is most of what a new
one costs. Tests of the steps themselves ask for an empty one.
"""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from functools import cache
from itertools import count
from pathlib import Path

import asyncpg

from tests.torhaus.store.state.elephants import CannotRunError as CannotRunError
from tests.torhaus.store.state.elephants import Elephant
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.office import StateOffice

KINDS = ("sqlite", "postgresql")
_numbers = count(1)


@contextmanager
def postgres() -> Iterator[str]:
    """A server in a directory of its own; its URL, no database. Raises CannotRunError."""
    with Elephant() as server:
        try:
            yield server.url
        finally:
            _models.pop(server.url, None)  # another may come to the same port


def furnish(home: Path) -> None:
    """Put a state database there that has seen every step, unless there is one."""
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not (home / NAME).exists():
        (home / NAME).write_bytes(_furnished())


@cache
def _furnished() -> bytes:
    async def opened(home: Path) -> None:
        database = Database(None, home)
        await database.open()
        await database.close()

    with tempfile.TemporaryDirectory() as aside:
        # Its loop is nobody else's, so that one that runs already does not matter.
        with ThreadPoolExecutor(1) as thread:
            thread.submit(asyncio.run, opened(Path(aside))).result()
        return (Path(aside) / NAME).read_bytes()


_models: dict[str, str] = {}
"""Server -> its database that others are copies of."""


async def _model(server: str) -> str:
    if server not in _models:
        url = await _new(server)
        database = Database(url, Path("unused"))
        await database.open()
        await database.close()
        _models[server] = url.rpartition("/")[2]
    return _models[server]


async def _new(server: str, model: str | None = None) -> str:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    like = "" if model is None else f"TEMPLATE {model} STRATEGY FILE_COPY"
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name} {like}")
    finally:
        await connection.close()
    return f"{server}/{name}"


class Place:
    """Where one test keeps its state; several databases may be opened on it, as by processes."""

    def __init__(self, home: Path, server: str | None, *, empty: bool = False) -> None:
        self.home = home
        self._server = server
        self._empty = empty
        self.url: str | None = None
        self.is_file = server is None

    async def database(self) -> Database:
        """Not open yet."""
        if self._server is not None and self.url is None:
            model = None if self._empty else await _model(self._server)
            self.url = await _new(self._server, model)
        if self.is_file and not self._empty:
            furnish(self.home)
        return Database(self.url, self.home)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[Database]:
        database = await self.database()
        await database.open()
        try:
            yield database
        finally:
            await database.close()

    @asynccontextmanager
    async def office(self) -> AsyncIterator[StateOffice]:
        async with self.open() as database:
            yield StateOffice(database)
