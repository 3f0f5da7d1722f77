"""`torhaus doctor`: the checklist."""

from collections.abc import Iterator
from datetime import UTC, datetime

import typer
from rich.text import Text

from torhaus.cli.doctor import (
    disk,
    evidence,
    exposure,
    identity,
    sandbox,
    shipping,
    state,
    surroundings,
)
from torhaus.cli.doctor.finding import Finding, Level, bad, good
from torhaus.cli.output import NO, STYLES, columns, printable, say, say_json
from torhaus.cli.reading import DEFAULT, AsJson, ConfigFile, DataDir, Reader
from torhaus.config.problems import ConfigError


def doctor(*, config: ConfigFile = DEFAULT, data_dir: DataDir = None, json: AsJson = False) -> None:
    """Look at all a gateway depends on, and say what to do."""
    found: list[Finding] = []
    for finding in _findings(Reader(path=config, data_dir=data_dir)):
        found.append(finding)
        if not json:
            _print(finding)
    failed = sum(each.level is Level.FAIL for each in found)
    if json:
        say_json({"ok": not failed, "findings": found})
    else:
        doubts = sum(each.level is Level.WARN for each in found)
        say(f"\n{len(found) - failed - doubts} passed, {doubts} to think about, {failed} failed")
    if failed:
        raise typer.Exit(NO)


def _findings(reader: Reader) -> Iterator[Finding]:
    yield surroundings.versions()
    try:
        loaded = reader()
    except ConfigError as error:
        for each in error.problems:
            where = each.file if each.line is None else f"{each.file}:{each.line}"
            what = f"{each.path}: {each.message}" if each.path else each.message
            yield bad("configuration", f"{where}: {what}", each.fix)
        return
    yield good("configuration", f"{reader.path} is valid")
    yield from exposure.findings(loaded)
    yield from identity.findings(loaded, datetime.now(UTC))
    yield from disk.findings(loaded.settings.data_dir)
    yield from state.findings(loaded.settings, loaded.rules.rotation, datetime.now(UTC))
    yield from shipping.findings(loaded.settings)
    yield from evidence.findings(loaded.settings)
    yield sandbox.finding()
    yield surroundings.zone(loaded.settings.timezone)
    yield surroundings.port(loaded.settings)
    yield from surroundings.servers(loaded.rules.servers)


def _print(finding: Finding) -> None:
    style = STYLES[finding.level]
    check = Text(f"{printable(finding.check):18}", "bold")
    say(columns([[Text(f"{finding.level}", style), check, finding.message]]))
    if finding.fix:
        say(Text(" " * 26 + "fix: ", "dim").append(printable(finding.fix), "not dim"))
