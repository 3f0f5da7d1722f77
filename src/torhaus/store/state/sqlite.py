"""SQLite's connections: a statement is one visit to the thread that has them."""

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

Rows = list[Any]


class Cursor:
    """What SQLAlchemy's adapter for asyncio wants of a driver's cursor.

    That of aiosqlite goes to the thread to be made, to ask, to fetch and to be closed: four times
    for a statement. A visit costs far more than the statement, above all on a busy machine.
    """

    def __init__(self, line: "Connection") -> None:
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None
        self.arraysize = 1
        self._line = line
        self._rows: Rows = []

    async def __aenter__(self) -> "Cursor":
        return self

    async def execute(self, sql: str, parameters: Sequence[Any] = ()) -> None:
        await self._line.visit(lambda cursor: cursor.execute(sql, parameters), self)

    async def executemany(self, sql: str, parameters: Iterable[Sequence[Any]]) -> None:
        await self._line.visit(lambda cursor: cursor.executemany(sql, parameters), self)

    async def fetchall(self) -> Rows:
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """In the thread it is closed already."""

    def take(self, cursor: sqlite3.Cursor) -> None:
        """Everything that the statement gave. In the thread."""
        self.description = cursor.description
        self._rows = cursor.fetchall()
        self.rowcount = cursor.rowcount  # known once all that RETURNING gives was fetched
        self.lastrowid = cursor.lastrowid


class Connection(aiosqlite.Connection):
    """Each has a thread of its own."""

    _settled = False

    def cursor(self) -> Cursor:  # type: ignore[override]  # SQLAlchemy enters it, no more
        return Cursor(self)

    async def visit(self, work: Callable[[sqlite3.Cursor], object], cursor: Cursor) -> None:
        await self._execute(self._work, work, cursor)

    def _work(self, work: Callable[[sqlite3.Cursor], object], cursor: Cursor) -> None:
        made = self._conn.cursor()
        try:
            work(made)
            cursor.take(made)
        finally:
            made.close()

    async def rollback(self) -> None:
        """SQLAlchemy asks for one after every transaction, also where nothing is left of it."""
        if not self._settled or self.in_transaction:
            await super().rollback()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._settled = False
        found = await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]
        # Not where it failed, or where nobody waits any more: then it may still be at it.
        self._settled = True
        return found


async def connect(path: Path, patience: float) -> Connection:
    """`patience`: seconds to wait for another process that writes."""

    def opened() -> sqlite3.Connection:
        return sqlite3.connect(path, timeout=patience)

    line = Connection(opened, iter_chunk_size=64)
    line._thread.daemon = True  # noqa: SLF001 -- aiosqlite has no other way
    await line
    return line
