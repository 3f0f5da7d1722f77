"""`torhaus audit query` and `torhaus audit queries`: ask the audit log in SQL."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import msgspec
import typer
from rich.text import Text

from torhaus.audit.saved import OWN, SHIPPED, Saved, named
from torhaus.cli.api import Key, Running, asked, gateway
from torhaus.cli.audit import offline, table
from torhaus.cli.output import columns, complain, misused, printable, refuse, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, Reader, read_or_exit
from torhaus.config.settings import Settings
from torhaus.model.asking import Question, Unanswered

MOST_ROWS = 1_000_000
MOST_OVER_HTTP = 10_000
OCTETS = 256 << 20
"""Of an answer without a gateway."""

DataDir = Annotated[
    Path | None, typer.Option(metavar="DIR", help="Where data is kept; then no gateway is asked.")
]
Config = Annotated[
    Path | None,
    typer.Option("--config", "-c", metavar="FILE", help="The configuration, for what it names."),
]


class Asked(msgspec.Struct, frozen=True):
    """`notes`: what is to be known besides the rows."""

    columns: Sequence[str]
    rows: Sequence[Sequence[Any]]
    notes: Sequence[str]


def query(  # noqa: PLR0913 -- one argument for each option
    context: typer.Context,
    sql: Annotated[
        str | None, typer.Argument(metavar="[SQL]", help="One SELECT; - reads it from stdin.")
    ] = None,
    *,
    saved: Annotated[str | None, typer.Option(metavar="NAME", help="A saved question.")] = None,
    data_dir: DataDir = None,
    config: Config = None,
    json: Annotated[bool, typer.Option("--json", help="An array of objects.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="CSV that no spreadsheet runs.")] = False,
    as_table: Annotated[bool, typer.Option("--table", help="For people; usual.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=MOST_ROWS, help="Rows.")] = 1000,
    timeout: Annotated[float, typer.Option(min=0.1, max=3600, help="Seconds.")] = 30.0,
    url: Running = None,
    key: Key = None,
) -> None:
    """Ask the audit log in SQL (DuckDB's), with or without a gateway that runs.

    Views: audit_logs, one row for each call or act; audit_records, everything as it was written.
    """
    if (sql is None) == (saved is None):
        misused("Give a SELECT, or --saved NAME; torhaus audit queries lists the names.")
    if json + csv + as_table > 1:
        misused("Choose one of --json, --csv and --table.")
    text = sys.stdin.read() if sql == "-" else sql
    url = gateway(context, url, "data_dir", "config")
    if url is not None and data_dir is None:
        found = _remote(text, saved, limit, timeout, (url, key))
    else:
        found = _local(text, saved, limit, timeout, (data_dir, config))
    _show(found, "json" if json else "csv" if csv else "table")


def _show(found: Asked, how: str) -> None:
    if how in table.FORMATS:
        sys.stdout.write(table.FORMATS[how](found.columns, found.rows))
        sys.stdout.flush()
    elif found.rows:
        say(table.for_people(found.columns, found.rows))
    else:
        say("No rows.", "dim")
    for note in found.notes:
        complain(printable(note), "yellow")


def _remote(
    sql: str | None, saved: str | None, limit: int, timeout: float, where: tuple[str, str | None]
) -> Asked:
    if limit > MOST_OVER_HTTP or timeout > 60:
        misused(f"A gateway answers --limit {MOST_OVER_HTTP} rows within --timeout 60 at most.")
    wish = {"sql": sql, "saved": saved, "limit": limit, "timeout": timeout}
    body = {name: value for name, value in wish.items() if value is not None}
    told = asked(lambda at: at.post("audit", body=body), *where, patience=timeout + 30)
    rows = [[row.get(name) for name in told["columns"]] for row in told["rows"]]
    notes = [each["text"] for each in told["skipped"]]
    return Asked(told["columns"], rows, [*_cut(len(rows), more=told["more"]), *notes])


def _local(
    sql: str | None,
    saved: str | None,
    limit: int,
    timeout: float,
    where: tuple[Path | None, Path | None],
) -> Asked:
    settings = _surroundings(*where)
    directory = settings.data_dir
    text = sql if saved is None else named(saved, settings.queries)
    if text is None:
        misused(f"There is no saved question {saved}; torhaus audit queries lists them.")
    if not (directory / "audit").is_dir():
        refuse(f"There is no audit log in {directory}; name the gateway's: --data-dir DIR.")
    question = Question(sql=text, rows=limit, octets=OCTETS, seconds=timeout)
    try:
        answered = offline.ask(directory, question, saved, settings.bucket)
    except (OSError, ValueError) as error:
        refuse(f"The bucket's files cannot be asked: {error}.")
    notes = []
    if answered.unrecorded is not None:
        notes.append(f"This question is not in the audit log: {answered.unrecorded}.")
    found = answered.found
    if isinstance(found, Unanswered):
        for note in notes:
            complain(printable(note), "yellow")
        refuse(f"{found.why}: {found.fix}" if found.fix else found.why)
    skipped = [each.text for each in found.skipped]
    cut = _cut(len(found.rows), more=found.more)
    return Asked(found.columns, found.rows, [*cut, *skipped, *notes])


def _cut(rows: int, *, more: bool) -> list[str]:
    return [f"There are more rows than these {rows}; --limit N shows more."] if more else []


def _surroundings(data_dir: Path | None, config: Path | None) -> Settings:
    """Where data is, and what the configuration adds. A file that is not named may lack."""
    if config is None and (data_dir is not None or not DEFAULT.exists()):
        return Settings(data_dir=data_dir or Path("data"))
    return read_or_exit(Reader(path=config or DEFAULT, data_dir=data_dir)).settings


def queries(
    context: typer.Context,
    *,
    config: Config = None,
    json: AsJson = False,
    url: Running = None,
    key: Key = None,
) -> None:
    """List the questions that have names, for --saved."""
    url = gateway(context, url, "config")
    if url is not None:
        listed = asked(lambda at: at.get("audit", "queries"), url, key)
    else:
        own = {name: Saved(OWN, sql) for name, sql in _surroundings(None, config).queries.items()}
        listed = [
            {"name": name, "about": each.about, "sql": each.sql}
            for name, each in {**SHIPPED, **own}.items()
        ]
    if json:
        say_json(listed)
        return
    say(columns([[Text(printable(each["name"]), "bold"), each["about"]] for each in listed]))
