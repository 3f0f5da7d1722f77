"""The configuration, as every command reads it: from a file, with the command line on top."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.text import Text

from torhaus.cli.output import NO, STYLES, complain, printable
from torhaus.config.load import Loaded, load
from torhaus.config.problems import ConfigError, Problem
from torhaus.config.references import References

DEFAULT = Path("torhaus.yml")

ConfigFile = Annotated[
    Path, typer.Option("--config", "-c", metavar="FILE", help="The configuration.")
]
DataDir = Annotated[
    Path | None,
    typer.Option("--data-dir", metavar="DIR", help="Where data is kept; goes before the file's."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")]


class Reader(msgspec.Struct, frozen=True, kw_only=True):
    """Reads a file again and again, always with the same choices of the command line."""

    path: Path
    host: str | None = None
    port: int | None = None
    data_dir: Path | None = None
    environ: Mapping[str, str] = os.environ
    lending: tuple[str, ...] | None = None
    references: References = msgspec.field(default_factory=lambda: References(os.environ))

    def stale(self) -> bool:
        """Whether a secret that others keep is another one than when it was read. Takes a while."""
        return self.references.stale()

    def __call__(self) -> Loaded:
        """Raises ConfigError."""
        loaded = load(
            self.path,
            self.environ,
            self.data_dir,
            lending=self.lending,
            references=self.references,
        )
        chosen = {"host": self.host, "port": self.port}
        given = {name: value for name, value in chosen.items() if value is not None}
        settings = msgspec.structs.replace(loaded.settings, **given)
        return msgspec.structs.replace(loaded, settings=settings)


def read_or_exit(reader: Reader) -> Loaded:
    """What the file says; or every problem on standard error, and exit code 1."""
    try:
        return reader()
    except ConfigError as error:
        for problem in error.problems:
            complain(told(problem, "fail"))
        raise typer.Exit(NO) from error


def told(problem: Problem, level: str) -> Text:
    """A problem or warning on two lines: where and what, then what to do."""
    where = problem.file if problem.line is None else f"{problem.file}:{problem.line}"
    what = f"{problem.path}: {problem.message}" if problem.path else problem.message
    word = "error" if level == "fail" else "warning"
    text = Text(overflow="fold")
    text.append(f"{printable(where)}: ", style="bold").append(f"{word}: ", style=STYLES[level])
    text.append(printable(what))
    if problem.fix:
        text.append("\n    fix: ", style="dim").append(printable(problem.fix))
    return text
