"""Day files as Parquet: written by DuckDB, and read back as rows."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import duckdb

from torhaus.audit.columns import DAY, RECORD, TEXT
from torhaus.audit.views import with_later

_AT_ONCE = 2000
_FORMAT = "(format parquet, compression zstd, parquet_version v2)"
_PARQUET = with_later("read_parquet(?, hive_partitioning = false, union_by_name = true)")
_LINES = (
    f"read_json(?, format = 'newline_delimited', columns = {RECORD | {'parameters': 'VARCHAR'}})"
)
_TIME = "strftime({}, '%Y-%m-%dT%H:%M:%S.%gZ')"
# Parameters that look as if they had been wrapped are wrapped too.
_AS_JSON = (
    f"CASE WHEN json_valid(parameters) AND NOT starts_with(parameters, '{TEXT}') "
    "THEN parameters::JSON ELSE json_object('_text', parameters) END"
)
_AS_TEXT = (
    f"CASE WHEN starts_with(parameters::VARCHAR, '{TEXT}') "
    "THEN parameters->>'$._text' ELSE parameters::VARCHAR END"
)

Base = duckdb.DuckDBPyConnection


def opened(folder: Path, memory: str) -> Base:
    """A database that holds nothing, and spills to `folder` what does not fit `memory`."""
    base = duckdb.connect(
        config={
            "threads": 1,
            "memory_limit": memory,
            "temp_directory": str(folder / "spill"),
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
        }
    )
    base.execute("SET TimeZone = 'UTC'")
    return base


def from_lines(base: Base, lines: Path, target: Path) -> None:
    """A day file of rows, one a line, whose parameters are text. Raises duckdb.Error."""
    records = f"SELECT * REPLACE ({_AS_JSON} AS parameters) FROM {_LINES}"  # noqa: S608 -- ours
    _save(base, records, str(lines), target)


def from_files(base: Base, sources: Sequence[Path], target: Path) -> None:
    """A day file of several. Raises duckdb.Error."""
    _save(base, f"SELECT * FROM {_PARQUET}", [*map(str, sources)], target)  # noqa: S608 -- ours


def _save(base: Base, records: str, source: object, target: Path) -> None:
    columns = ", ".join(f'{what} AS "{name}"' for name, what in DAY.items())
    ordered = f"SELECT {columns} FROM ({records}) ORDER BY timestamp, request_id"  # noqa: S608 -- ours
    place = str(target).replace("'", "''")
    base.execute(f"COPY ({ordered}) TO '{place}' {_FORMAT}", [source])


def rows(base: Base, sources: Sequence[Path]) -> Iterator[str]:
    """The records of day files as JSON, their parameters as text. Raises duckdb.Error."""
    told = {"timestamp": _TIME.format("timestamp"), "parameters": _AS_TEXT}
    columns = ", ".join(f'{told.get(name, _name(name))} AS "{name}"' for name in RECORD)
    records = f"SELECT {columns} FROM {_PARQUET}"  # noqa: S608 -- ours
    found = base.execute(f"SELECT to_json(t) FROM ({records}) t", [[*map(str, sources)]])  # noqa: S608
    while some := found.fetchmany(_AT_ONCE):
        for (text,) in some:
            yield text


def _name(column: str) -> str:
    return f'"{column}"'


def ends(base: Base, source: Path) -> tuple[str, str]:
    """The times of its first and last record. Raises ValueError when it holds none."""
    first, last = _TIME.format("min(timestamp)"), _TIME.format("max(timestamp)")
    ask = f"SELECT {first}, {last} FROM {_PARQUET}"  # noqa: S608 -- ours
    found = base.execute(ask, [[str(source)]]).fetchone()
    if found is None or found[0] is None:
        raise ValueError("the day file holds no record")
    return str(found[0]), str(found[1])
