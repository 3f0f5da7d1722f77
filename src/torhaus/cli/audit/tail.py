"""`torhaus audit tail`: the last audit records, one line each."""

import sys
import time
from pathlib import Path
from typing import Annotated

import typer

from torhaus.audit.line import read, text
from torhaus.audit.marks import is_record
from torhaus.cli.audit.export import Credential
from torhaus.cli.audit.records import Follower, Wanted, directory, ended, with_filed
from torhaus.cli.output import printable_json, refuse
from torhaus.cli.reading import AsJson
from torhaus.store.audit.pseudonyms import MARK, mapping, told
from torhaus.store.audit.pseudonyms import NAME as PEOPLE

EVERY = 0.2
"""Seconds between looks for new records."""


def tail(
    *,
    follow: Annotated[bool, typer.Option("-f", "--follow", help="Keep printing new ones.")] = False,
    count: Annotated[int, typer.Option("-n", min=0, metavar="N", help="How many.")] = 20,
    data_dir: Annotated[Path, typer.Option(metavar="DIR", help="Where data is kept.")] = Path(
        "data"
    ),
    credential: Credential = None,
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
    kind: Wanted = is_record if every else ended
    try:
        used = None if credential is None else _Used(data_dir, credential)
        wanted = kind if used is None else lambda line: used(line) and kind(line)
        follower = Follower(where, wanted)
        lines = follower.newest(count)
        if len(lines) < count:
            names = () if used is None else used.names
            lines = with_filed(where.parent, lines, count, wanted, names)
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


class _Used:
    """Whether a line is of something done with a credential, whatever name it has there.

    Raises OSError; ValueError where pseudonyms cannot be read.
    """

    def __init__(self, data_dir: Path, credential: str) -> None:
        self._data_dir = data_dir
        self._credential = credential
        self._size = -1
        self.names: frozenset[str] = frozenset()
        self._look()

    def _look(self) -> None:
        """Itself, and its pseudonyms: a key of the file may have the same name for many."""
        path = self._data_dir / "audit" / PEOPLE
        size = path.stat().st_size if path.exists() else 0  # it only ever grows
        if size != self._size:
            people = mapping(self._data_dir).items()
            tokens = (token for token, value in people if value == self._credential)
            self.names, self._size = frozenset((self._credential, *tokens)), size

    def __call__(self, line: bytes) -> bool:
        if b'"credential":"' not in line:
            return False
        record = read(line)
        found = "" if record is None else record.credential
        if found.startswith(MARK) and found not in self.names:
            self._look()  # somebody may have come with it for the first time
        return found in self.names


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
