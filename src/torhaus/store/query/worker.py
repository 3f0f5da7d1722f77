"""The process that answers one question: `python -I -m torhaus.store.query.worker PARENT`.

A `Job` comes in on standard input, one `Reply` goes out on standard output, both JSON. Everything
is imported first; then the process gives up what it will not need; then DuckDB opens.
"""

import datetime  # noqa: F401 -- DuckDB imports these when it meets such a value: now or never
import decimal  # noqa: F401
import os
import sys
import threading
import uuid  # noqa: F401
import zoneinfo
from collections.abc import Callable, Iterator
from typing import Any

import duckdb
import msgspec

from torhaus.audit.views import PEOPLE, PEOPLED, views
from torhaus.store.query.cells import reader
from torhaus.store.query.confine import bound, confine, die_with, expendable
from torhaus.store.query.job import Failure, Job, Reply, Rows
from torhaus.store.query.tree import objection

UTC = zoneinfo.ZoneInfo("UTC")
"""Read before its file cannot be opened any more; zoneinfo keeps it."""

_TAKEN = 500
_CLOSED = (
    "SET TimeZone = 'UTC'",
    "SET temp_directory = ''",
    "SET python_enable_replacements = false",
    "SET autoinstall_known_extensions = false",
    "SET autoload_known_extensions = false",
    "SET allow_community_extensions = false",
)


class RefusedError(Exception):
    """The question may not be asked. The text says why, for whoever asked."""


def answer(job: Job, landlock: int) -> Reply:
    """What DuckDB says, or why not. To be called in a confined process."""
    connection = duckdb.connect(
        config={"threads": str(job.threads), "memory_limit": f"{job.memory}B"}
    )
    late = threading.Event()
    timer = threading.Timer(job.seconds, _interrupt, (connection, late))
    timer.daemon = True
    timer.start()
    try:
        return _rows(connection, job, landlock)
    except RefusedError as error:
        return Failure(code="refused", why=str(error))
    except duckdb.Error as error:
        if late.is_set():
            return Failure(code="timeout", why=f"no answer within {job.seconds:g} seconds")
        return _failure(job, error)
    except MemoryError:
        return _memory(job)
    finally:
        timer.cancel()


def _rows(connection: duckdb.DuckDBPyConnection, job: Job, landlock: int) -> Reply:
    query = _checked(connection, job)
    for statement in _CLOSED:
        connection.execute(statement)
    if job.people:
        connection.execute(PEOPLED)
        tokens, values = list(job.people), list(job.people.values())
        connection.execute(f"INSERT INTO {PEOPLE} SELECT unnest(?), unnest(?)", [tokens, values])
    for statement in views(job.segments, job.days, people=bool(job.people)):
        connection.execute(statement)
    connection.execute("SET allowed_paths = ?", [job.files])
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    found = connection.execute(query, dict(job.parameters) or None)
    names = [str(each[0]) for each in found.description]
    types = [str(each[1]) for each in found.description]
    rows, more = _taken(found, [reader(kind) for kind in types], job)
    if not rows and more:
        return Failure(code="too_large", why=f"one row alone has more than {job.octets} octets")
    return Rows(
        columns=_distinct(names), types=tuple(types), rows=tuple(rows), more=more, landlock=landlock
    )


def _checked(connection: duckdb.DuckDBPyConnection, job: Job) -> str:
    """The question as it is run: inside another SELECT, where nothing that writes can stand."""
    statements = connection.extract_statements(job.sql)
    if len(statements) != 1:
        raise RefusedError(f"ask one SELECT, not {len(statements)} statements")
    if statements[0].type != duckdb.StatementType.SELECT:
        raise RefusedError(f"ask a SELECT: {statements[0].type.name} is none")
    own = statements[0].query.strip().removesuffix(";")
    query = f"SELECT * FROM (\n{own}\n) AS asked LIMIT {job.rows + 1}"  # noqa: S608 -- it is meant
    if len(connection.extract_statements(query)) != 1:
        raise RefusedError("ask one SELECT, whose brackets match")
    reserved = connection.execute("SELECT lower(view_name) FROM duckdb_views()").fetchall()
    told = connection.execute("SELECT json_serialize_sql(?::VARCHAR)", [query]).fetchone()
    names = {PEOPLE, *(name for (name,) in reserved)}
    why = objection(msgspec.json.decode(told[0] if told else "{}"), names)
    if why is not None:
        raise RefusedError(why)
    return query


def _taken(
    found: duckdb.DuckDBPyConnection, readers: list[Callable[[Any], Any]], job: Job
) -> tuple[list[tuple[Any, ...]], bool]:
    """As many rows as are wanted and fit, and whether there are more."""
    rows: list[tuple[Any, ...]] = []
    octets = 0
    for values in _fetched(found):
        row = tuple(read(value) for read, value in zip(readers, values, strict=True))
        octets += len(msgspec.json.encode(row)) + 1
        if len(rows) == job.rows or octets > job.octets:
            return rows, True
        rows.append(row)
    return rows, False


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while some := found.fetchmany(_TAKEN):
        yield from some


def _distinct(names: list[str]) -> tuple[str, ...]:
    """`count`, `count_2`: rows become objects, in which each name stands once."""
    found: list[str] = []
    for name in names:
        own, number = name, 1
        while own in found:
            number += 1
            own = f"{name}_{number}"
        found.append(own)
    return tuple(found)


def _failure(job: Job, error: duckdb.Error) -> Failure:
    if any(not os.path.exists(path) for path in job.files):
        return Failure(code="vanished", why="a file was moved on while it was asked")
    if isinstance(error, duckdb.OutOfMemoryException):
        return _memory(job)
    if isinstance(error, duckdb.IOException):
        ours = any(path in str(error) for path in job.files)
        return Failure(code="unavailable" if ours else "refused", why=_said(error, job))
    kind = "refused" if isinstance(error, duckdb.PermissionException) else "failed"
    return Failure(code=kind, why=_said(error, job))


def _memory(job: Job) -> Failure:
    return Failure(code="memory", why=f"this needs more than {job.memory >> 20} MB of memory")


def _said(error: duckdb.Error, job: Job) -> str:
    """DuckDB's words, without where the files are."""
    text = str(error)[:2000]
    for path in job.files:
        text = text.replace(path, os.path.basename(path))
    return text


def _interrupt(connection: duckdb.DuckDBPyConnection, late: threading.Event) -> None:
    late.set()
    connection.interrupt()


def _closed(job: Job) -> int:
    bound(job.seconds, job.memory, len(job.files))
    return confine(job.files)


def main() -> None:
    """Reads the job, closes the doors, answers."""
    die_with(int(sys.argv[1]))
    expendable()
    out = os.dup(1)
    nothing = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nothing, 1)  # nothing that a library prints is taken for an answer
    job = msgspec.json.decode(sys.stdin.buffer.read(), type=Job)
    with open(out, "wb", closefd=False) as stream:
        stream.write(_said_at_last(job))
    os._exit(0)  # nothing is left to be tidied up


def _said_at_last(job: Job) -> bytes:
    try:
        return msgspec.json.encode(answer(job, _closed(job)))
    except FileNotFoundError:
        code, why = "vanished", "a file was moved on before it was opened"
    except MemoryError:
        return msgspec.json.encode(_memory(job))
    except RecursionError:
        code, why = "failed", "a value is nested too deeply"
    except (OSError, RuntimeError, duckdb.Error) as error:
        code, why = "unavailable", f"the sandbox cannot be closed: {error}"[:500]
    return msgspec.json.encode(Failure(code=code, why=why))


if __name__ == "__main__":
    main()
