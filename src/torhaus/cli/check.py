"""`torhaus check`: every mistake and every doubt in a configuration, without starting anything."""

import typer

from torhaus.cli.output import NO, STYLES, complain, counted, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, Reader, told
from torhaus.config.load import Loaded
from torhaus.config.problems import ConfigError, Problem


def check(*, config: ConfigFile = DEFAULT, json: AsJson = False) -> None:
    """Check a configuration.

    Prints every problem and warning with its line and what to do about it.
    """
    loaded: Loaded | None = None
    errors: list[Problem] = []
    try:
        loaded = Reader(path=config)()
    except ConfigError as error:
        errors = error.problems
    warnings = () if loaded is None else loaded.warnings
    if json:
        say_json({"ok": not errors, "errors": errors, "warnings": warnings})
    else:
        for problem in errors:
            complain(told(problem, "fail"))
        for warning in warnings:
            complain(told(warning, "warn"))
        if loaded is not None:
            say(_summary(str(config), loaded), STYLES["pass"])
    if errors:
        raise typer.Exit(NO)


def _summary(name: str, loaded: Loaded) -> str:
    servers, keys = len(loaded.rules.servers), len(loaded.rules.keys)
    doubts = len(loaded.warnings)
    return (
        f"{name} is valid: {counted(servers, 'server')}, {counted(keys, 'key')}, "
        f"{counted(doubts, 'warning')}."
    )
