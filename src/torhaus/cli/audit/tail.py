"""`torhaus audit tail`: the last audit records, one line each."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from torhaus.audit.line import read, text
from torhaus.audit.marks import is_record
from torhaus.cli.audit.records import Follower, directory, ended, with_filed
from torhaus.cli.output import printable_json, refuse
from torhaus.cli.reading import AsJson
from torhaus.store.audit.pseudonyms import mapping, told

EVERY = 0.2
"""Seconds between looks for new records."""


def tail(
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing new ones.")] = False,
    count: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many.")] = 20,
    data_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where data is kept.")] = Path(
        "data"
    ),
    every: Annotated[
        bool, typer.Option("--all", help="Also calls that are about to go to their servers.")
    ] = False,
    json: AsJson = False,
) -> None:
    """Print the last audit records.

    A line each: time | who | server.tool | arguments | what went wrong.
    """
    where = directory(data_dir)
    if not where.is_dir() and not follow:
        refuse(f"There is no audit log in {where}; name the gateway's directory: --data-dir DIR.")
    follower = Follower(where, is_record if every else ended)
    try:
        lines = follower.newest(count)
        if len(lines) < count:
            lines = with_filed(where.parent, lines, count, follower.wanted)
        _print(lines, data_dir, json=json)
        while follow:
            _print(follower.more(), data_dir, json=json)
            time.sleep(EVERY)
    except ValueError as error:
        refuse(f"The audit log cannot be read: {error}.")
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        refuse(f"The audit log cannot be read: {error.strerror}: {error.filename}.")
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


def _print(lines: list[bytes], data_dir: Path, *, json: bool) -> None:
    people = mapping(data_dir) if any(b"p1:" in line for line in lines) else {}
    for written in lines:
        line = told(written, people)
        record = read(line)
        if json:
            shown = printable_json(line.decode("utf-8", "replace"))
        else:
            shown = "(a damaged record)" if record is None else text(record)
        sys.stdout.write(shown + "\n")
    if lines:
        sys.stdout.flush()
