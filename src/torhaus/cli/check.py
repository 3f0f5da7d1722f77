"""`torhaus check`: every mistake and every doubt in a configuration, without starting anything."""

import time

import typer

from torhaus.cli.asking import FileOnly, database_of, has_database
from torhaus.cli.doubting import warnings as all_warnings
from torhaus.cli.output import NO, STYLES, complain, counted, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir, Reader, told
from torhaus.config.load import Loaded
from torhaus.config.problems import ConfigError, Problem
from torhaus.model.ports import StateError


def check(
    *,
    config: ConfigFile = DEFAULT,
    data_dir: DataDir = None,
    file_only: FileOnly = False,
    json: AsJson = False,
) -> None:
    """Check a configuration.

    Prints every problem and warning with its line and what to do about it. Where there is a state
    database, its people, keys and grants are looked at too.
    """
    loaded: Loaded | None = None
    errors: list[Problem] = []
    try:
        loaded = Reader(path=config, data_dir=data_dir)()
    except ConfigError as error:
        errors = error.problems
    warnings = () if loaded is None else _warnings(loaded, file_only=file_only)
    if json:
        say_json({"ok": not errors, "errors": errors, "warnings": warnings})
    else:
        for problem in errors:
            complain(told(problem, "fail"))
        for warning in warnings:
            complain(told(warning, "warn"))
        if loaded is not None:
            say(_summary(str(config), loaded, len(warnings)), STYLES["pass"])
    if errors:
        raise typer.Exit(NO)


def _warnings(loaded: Loaded, *, file_only: bool) -> tuple[Problem, ...]:
    if file_only or not has_database(loaded.settings):
        return loaded.warnings
    try:
        return all_warnings(loaded, database_of(loaded.settings, "", "", time.time()))
    except StateError as error:
        complain(f"{error}: the file alone was checked.", "dim")
    except ConfigError as error:
        return (*loaded.warnings, *error.problems)
    return loaded.warnings


def _summary(name: str, loaded: Loaded, doubts: int) -> str:
    servers, keys = len(loaded.rules.servers), len(loaded.rules.keys)
    return (
        f"{name} is valid: {counted(servers, 'server')}, {counted(keys, 'key')}, "
        f"{counted(doubts, 'warning')}."
    )
