"""`torhaus audit export`: the audit log, or a part of it, as one file."""

import csv
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from torhaus.audit import part
from torhaus.audit.cells import HEADER, cells
from torhaus.audit.part import Part
from torhaus.cli.audit.offline import fetch, noted
from torhaus.cli.audit.outfile import TakenError, Written, written
from torhaus.cli.audit.records import directory
from torhaus.cli.audit.subject import archived, rows_about
from torhaus.cli.output import NO, complain, counted, misused, printable, refuse
from torhaus.cli.reading import Reader, read_or_exit
from torhaus.config.settings import Settings
from torhaus.model.keeping import Bucket
from torhaus.model.ports import StateError
from torhaus.store.audit.extract import Extract, ExtractError, Files, extracted
from torhaus.store.audit.pseudonyms import mapping
from torhaus.store.query.files import AuditFiles

Write = Callable[[Extract, Written], None]


class Format(StrEnum):
    JSONL = "jsonl"
    CSV = "csv"
    PARQUET = "parquet"


Since = Annotated[
    str | None,
    typer.Option("--from", metavar="DAY|TIME", help="The first: 2025-10-20, or a moment."),
]
Until = Annotated[
    str | None,
    typer.Option("--to", metavar="DAY|TIME", help="The last day (included), or up to a moment."),
]


Subject = Annotated[
    str | None, typer.Option(metavar="EMAIL", help="All about a person, as an archive (zip).")
]
StateConfig = Annotated[
    Path | None,
    typer.Option(
        "--config",
        "-c",
        metavar="FILE",
        help="For the bucket and database it names.",
    ),
]


Credential = Annotated[
    str | None,
    typer.Option(metavar="NAME", help="With this key or session, as records have it: key:ID."),
]


def export(  # noqa: PLR0913 - one argument for each option
    *,
    since: Since = None,
    until: Until = None,
    subject: Subject = None,
    user: Annotated[str | None, typer.Option(metavar="EMAIL", help="Of this user.")] = None,
    server: Annotated[str | None, typer.Option(metavar="NAME", help="To this server.")] = None,
    operation: Annotated[str | None, typer.Option(metavar="NAME", help="Of this tool.")] = None,
    status: Annotated[str | None, typer.Option(metavar="WORD", help="Such as denied.")] = None,
    credential: Credential = None,
    format_: Annotated[Format, typer.Option("--format", help="What to write.")] = Format.JSONL,
    out: Annotated[str, typer.Option("-o", "--out", metavar="FILE", help="Or - (stdout).")] = "-",
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is there.")] = False,
    config: StateConfig = None,
    data_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where data is kept.")] = Path(
        "data"
    ),
) -> None:
    """Write the audit log, or a part of it, in the order of time.

    Days and times are UTC unless a time says otherwise. The summary on standard error has the
    SHA-256 of what was written.
    """
    wanted = Part(
        since=_time("--from", since, part.since),
        until=_time("--to", until, part.until),
        user=user,
        server=server,
        operation=operation,
        status=status,
        credential=credential,
        subject=subject,
    )
    if subject is not None and out == "-" and sys.stdout.isatty():
        misused("An archive is not for a terminal; name a file: --out FILE.zip.")
    if format_ is Format.PARQUET and out == "-" and sys.stdout.isatty():
        misused("Parquet is not for a terminal; name a file: --out FILE.")
    try:
        named = _settings(config, data_dir)
        write = WRITE[format_] if subject is None else _about(wanted, format_, data_dir, named)
        log = _Log(data_dir, None if named is None else named.bucket, format_)
        _export(wanted, write, out, log, force=force)
    except TakenError as error:
        refuse(f"There is a file {error} already; --force replaces it.")
    except (ExtractError, StateError, ValueError) as error:
        refuse(f"Nothing was written: {error}.")
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        refuse(f"Nothing was written: {error.strerror}: {error.filename}.")


def _time(option: str, text: str | None, read: Callable[[str], str]) -> str:
    try:
        return "" if text is None else read(text)
    except ValueError as error:
        misused(f"{option}: {error}.")


def files(audit: AuditFiles, wanted: Part) -> Files:
    """Where the records of a part are."""
    found = audit.find(wanted.since[:10], wanted.until[:10])
    return Files(
        segments=found.segments,
        days=[Path(name) for name in found.days],
        skipped=[each.text for each in found.skipped],
    )


class _Log(NamedTuple):
    """Where the log is. `bucket`: where day files may be besides. `format`: what it becomes."""

    data_dir: Path
    bucket: Bucket | None
    format: Format


def _settings(config: Path | None, data_dir: Path) -> Settings | None:
    if config is None:
        return None
    return read_or_exit(Reader(path=config, data_dir=data_dir)).settings


def _about(wanted: Part, format_: Format, data_dir: Path, settings: Settings | None) -> Write:
    """Writes an archive. Raises StateError."""
    rows = rows_about(wanted.subject or "", data_dir, settings)
    name = f"records.{format_.value}"
    return lambda found, target: archived(found, target, wanted, name, WRITE[format_], rows)


def _export(wanted: Part, write: Write, out: str, log: _Log, *, force: bool) -> None:
    data_dir, where = log.data_dir, directory(log.data_dir)
    if not where.is_dir():
        refuse(f"There is no audit log in {where}; name the gateway's directory: --data-dir DIR.")
    audit = AuditFiles(where.parent, fetch(data_dir, log.bucket))
    with (
        written(out, force=force) as target,
        extracted(
            lambda: files(audit, wanted), wanted.takes, where.parent, mapping(data_dir)
        ) as found,
    ):
        why = _noted(log, wanted, found, "") if out == "-" else None
        write(found, target)
        if out != "-":  # before it has its name
            why = _noted(log, wanted, found, target.sha256)
    complain(f"{counted(found.count, 'record')}, SHA-256 {target.sha256}")
    if found.damaged:
        complain(f"{counted(found.damaged, 'damaged line')} left out; see torhaus audit verify")
    if why is not None:
        complain(printable(f"This export is not in the audit log: {why}."), "yellow")
    for each in found.left_out:
        complain(f"Left out: {printable(each)}")
    if found.left_out:
        raise typer.Exit(NO)  # whoever goes on with it must not take it for the whole


def _noted(log: _Log, wanted: Part, found: Extract, sha256: str) -> str | None:
    """Leave a record of it; why there is none, if so. `sha256`: of a file, not of what streams."""
    facts: dict[str, Any] = {**wanted.asked(), "format": log.format.value, "records": found.count}
    if sha256:
        facts["sha256"] = sha256
    return noted(log.data_dir, "audit.exported", facts)


def _jsonl(found: Extract, target: Written) -> None:
    for line in found.lines():
        target.write(line + b"\n")


class _Rows:
    """What a csv writer writes to."""

    def __init__(self, target: Written) -> None:
        self._target = target

    def write(self, row: str) -> None:
        self._target.write(row.encode("utf-8", "replace"))


def _csv(found: Extract, target: Written) -> None:
    writer = csv.writer(_Rows(target))  # RFC 4180: CRLF, quotes where they are needed, doubled
    writer.writerow(HEADER)
    writer.writerows(cells(record) for record in found.records())


def _parquet(found: Extract, target: Written) -> None:
    with found.parquet() as stream:
        target.copy(stream)


WRITE: dict[Format, Write] = {
    Format.JSONL: _jsonl,
    Format.CSV: _csv,
    Format.PARQUET: _parquet,
}
