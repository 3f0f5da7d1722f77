"""One connection to PostgreSQL: nobody waits long for one that does not answer."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any, TypeVar

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

T = TypeVar("T")
LEAVING = 0.5
"""Seconds to say goodbye to a server, which may have stopped listening."""


class Line(asyncpg.Connection):  # type: ignore[misc]  # the driver has no types
    """The driver's own, except that its end waits for nobody."""

    async def close(self, *, timeout: float | None = None) -> None:
        with suppress(TimeoutError):
            await super().close(timeout=LEAVING if timeout is None else min(timeout, LEAVING))


class Lines:
    """Takes lines from an engine's pool, each within `patience` seconds, unless that is None.

    The pool asks a line whether it still answers before it gives it out, and opens another one
    where it does not: each step has a limit of its own, but their sum would be long. While the
    server is silent one asks at a time, and everybody else is told at once.
    """

    def __init__(self, engine: AsyncEngine, patience: float | None) -> None:
        self._engine = engine
        self._patience = patience
        self._silent = False
        self._asking = 0
        self._late: set[asyncio.Future[Any]] = set()

    def hasten(self, patience: float) -> None:
        """Wait no longer than this from now on."""
        if self._patience is not None:
            self._patience = min(self._patience, patience)

    @asynccontextmanager
    async def line(self) -> AsyncIterator[AsyncConnection]:
        """Raises TimeoutError, and what the driver raises."""
        line = await self._answering()
        try:
            yield line
        finally:
            await asyncio.shield(self._kept(line.close()))

    async def close(self) -> None:
        """Every line, and those that nobody waits for any more."""
        while self._late:
            await asyncio.gather(*self._late, return_exceptions=True)
        await self._engine.dispose()

    async def _answering(self) -> AsyncConnection:
        if self._silent and self._asking:
            raise TimeoutError
        self._asking += 1
        try:
            line = await self._in_time()
        except Exception as error:
            self._silent = took_too_long(error)
            raise
        finally:
            self._asking -= 1
        self._silent = False
        return line

    async def _in_time(self) -> AsyncConnection:
        if self._patience is None:
            return await self._taken()
        taking = self._kept(self._taken())
        try:
            await asyncio.wait((taking,), timeout=self._patience)
        except asyncio.CancelledError:
            self._forgo(taking)
            raise
        if not taking.done():
            self._forgo(taking)
            raise TimeoutError
        return taking.result()

    async def _taken(self) -> AsyncConnection:
        line = self._engine.connect()
        await line.start()
        return line

    def _forgo(self, taking: "asyncio.Task[AsyncConnection]") -> None:
        taking.cancel()
        taking.add_done_callback(self._give_back)

    def _give_back(self, taking: "asyncio.Future[AsyncConnection]") -> None:
        """It came after all, or failed in its own way: nobody is there to hear of it."""
        if not taking.cancelled() and taking.exception() is None:
            self._kept(taking.result().close())

    def _kept(self, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
        task = asyncio.ensure_future(work)
        self._late.add(task)
        task.add_done_callback(self._late.discard)
        return task


def took_too_long(error: BaseException) -> bool:
    """Not for want of a free line: that says nothing about the server."""
    inner = error.orig if isinstance(error, DBAPIError) else error
    return isinstance(inner, TimeoutError)


def driver(line: AsyncConnection) -> Any:
    """The driver's own connection below it."""
    proxied = line.sync_connection
    return None if proxied is None else proxied.connection.driver_connection


def takes_changes(line: AsyncConnection) -> bool:
    """Whether its server is no standby and not read-only, as it said last.

    PostgreSQL tells both of itself, and once more when it changes (protocol 55.2.7, since 14): no
    question is needed.
    """
    found = driver(line)
    if not isinstance(found, asyncpg.Connection):
        return True
    told = found.get_settings()
    states = ("in_hot_standby", "default_transaction_read_only")
    return all(getattr(told, name, "off") == "off" for name in states)
