"""Rules without a gateway: what commands that only decide read of a configuration."""

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from torhaus.cli.output import complain, misused
from torhaus.cli.reading import Reader, read_or_exit
from torhaus.config.amounts import moment
from torhaus.config.load import Loaded
from torhaus.config.problems import FaultError
from torhaus.config.references import SCHEMES, References


class Lent(Mapping[str, str]):
    """The environment, with a placeholder for every variable that is not set.

    Secrets decide no call, and where rules are tested they should not lie about.
    """

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.missing: dict[str, None] = {}

    def __getitem__(self, name: str) -> str:
        if name not in self._environ:
            self.missing[name] = None
            return f"placeholder-for-{name}"
        return self._environ[name]

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str)

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]
        if name in self._environ:
            return self._environ[name]
        # Without anything to fall back on it is `${NAME}`; with a default the file has its own.
        return self[name] if default == "" else default

    def __iter__(self) -> Iterator[str]:
        return iter(self._environ)

    def __len__(self) -> int:
        return len(self._environ)


def _absent(_what: str, _environ: Mapping[str, str], _base: Path) -> str:
    """Nobody needs a secret to think about rules."""
    return "not-at-hand"


ABSENT = dict.fromkeys(SCHEMES, _absent)


def simulated(config: Path, servers: Sequence[str], data_dir: Path | None = None) -> Loaded:
    """The rules of a file, whether or not its secrets are at hand; else exit code 1.

    Well-known servers that it has rules for, or that are among `servers`, need not be configured.
    """
    lent = Lent(os.environ)
    loaded = read_or_exit(
        Reader(
            path=config,
            data_dir=data_dir,
            environ=lent,
            lending=tuple(servers),
            references=References(lent, schemes=ABSENT),
        )
    )
    if loaded.lent:
        complain(f"Not configured, judged as if they were: {', '.join(loaded.lent)}.", "dim")
    if lent.missing:
        names = ", ".join(lent.missing)
        complain(f"Not set, so placeholders stand in: {names}.", "dim")
    return loaded


def instant(text: str | None, zone: str, now: float) -> float:
    """`2025-12-24T09:30`, with or without an offset, in Unix seconds; a day means its midnight."""
    if text is None:
        return now
    try:
        when = moment(text)
    except FaultError as error:
        misused(f"--at: {error.message}: {error.fix}")
    if not isinstance(when, datetime):
        when = datetime(when.year, when.month, when.day)  # noqa: DTZ001 -- the zone follows
    local = when if when.tzinfo is not None else when.replace(tzinfo=ZoneInfo(zone))
    return local.timestamp()
