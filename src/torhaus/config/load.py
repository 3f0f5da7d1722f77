"""Read a configuration file: text in, `Settings` and `Rules` out, or every problem at once."""

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

from torhaus.config import compile as compiled
from torhaus.config.changes import NO_FINGERPRINT, Fingerprint, fingerprint
from torhaus.config.compile import Blueprint
from torhaus.config.interpolate import interpolate, read_files
from torhaus.config.lent import lend
from torhaus.config.plainsecrets import doubt_secrets
from torhaus.config.problems import ConfigError, FaultError, Problem
from torhaus.config.references import References
from torhaus.config.secrets import secrets
from torhaus.config.settings import Settings
from torhaus.config.source import MAX_CHARS, read
from torhaus.config.validate import validate
from torhaus.model.grant import Grant
from torhaus.model.person import NOBODY, Roster
from torhaus.model.rules import Rules
from torhaus.model.secret import Secret

Stamp = tuple[int, int, int]
"""By which a file is seen to be another: when it was changed, how long it is, which one it is."""


def stamp(found: os.stat_result) -> Stamp:
    return (found.st_mtime_ns, found.st_size, found.st_ino)


class Loaded(msgspec.Struct, frozen=True):
    """`secrets`: all that the file holds or points to, so that nothing that is written has them.

    `stamp`: of the file when it was read; None for text that was in none.
    """

    settings: Settings
    rules: Rules
    warnings: tuple[Problem, ...]
    blueprint: Blueprint
    lent: tuple[str, ...] = ()
    secrets: tuple[Secret, ...] = ()
    fingerprint: Fingerprint = NO_FINGERPRINT
    stamp: Stamp | None = None

    def with_grants(self, grants: Sequence[Grant], roster: Roster = NOBODY) -> "Loaded":
        """The same file with other grants and people from the database, without reading it again.

        Raises ConfigError when grants and rules multiply beyond all reason.
        """
        try:
            rules = self.blueprint.rules(grants, roster)
        except FaultError as error:
            raise _refused("the configuration", error) from error
        return msgspec.structs.replace(self, rules=rules)


def load(
    path: Path | str,
    environ: Mapping[str, str],
    data_dir: Path | None = None,
    grants: Sequence[Grant] = (),
    lending: Sequence[str] | None = None,
    references: References | None = None,
) -> Loaded:
    """Read a file. Changes nothing, so it can be called again for every new version of it.

    `environ` is where `${NAME}` and the PATH for commands come from; `grants` are the database's,
    besides the file's temporary_access. `lending`: only to think about its rules; servers it
    speaks of, and these, stand in although they are not configured. `references`: where secrets
    come from that others keep; remembered from one reading to the next. Raises ConfigError.
    """
    name = str(path)
    try:
        with Path(path).open("rb") as stream:
            seen = stamp(os.fstat(stream.fileno()))  # before: what changes meanwhile is seen later
            raw = stream.read(MAX_CHARS + 1)
    except (OSError, ValueError) as error:
        said = (isinstance(error, OSError) and error.strerror) or "not a path"
        raise _unreadable(name, f"the file cannot be read: {said}") from error
    if len(raw) > MAX_CHARS:
        raise _unreadable(name, "the file is larger than 2 MiB")
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _unreadable(name, "the file is not UTF-8 text", line) from error
    loaded = load_text(text, name, environ, data_dir, grants, lending, references)
    return msgspec.structs.replace(loaded, stamp=seen)


def load_text(  # noqa: PLR0913 -- what a reading depends on
    text: str,
    name: str,
    environ: Mapping[str, str],
    data_dir: Path | None = None,
    grants: Sequence[Grant] = (),
    lending: Sequence[str] | None = None,
    references: References | None = None,
) -> Loaded:
    """As `load`, from text. `name` is for messages and is what relative paths start from."""
    source = read(text, name)
    references = References(environ) if references is None else references
    referring = references.marked(source)
    doubt_secrets(source)
    interpolate(source, environ)
    read_files(source)
    references.fill(source, referring)
    lent = () if lending is None else tuple(lend(source, lending))
    file = validate(source)
    if file is None:
        source.refuse()
        raise _unreadable(name, "the file does not fit the schema")
    blueprint = compiled.blueprint(source, file, environ, time.time())
    settings = compiled.settings(source, file, data_dir)
    source.refuse()
    try:
        rules = blueprint.rules(grants)
    except FaultError as error:
        raise _refused(name, error) from error
    warnings = tuple(sorted(source.warnings, key=lambda p: p.line or 0))
    secret, known = secrets(source, file), fingerprint(source)
    return Loaded(settings, rules, warnings, blueprint, lent, secret, known)


def _refused(name: str, error: FaultError) -> ConfigError:
    return ConfigError(
        [Problem(file=name, line=None, path="", message=error.message, fix=error.fix)]
    )


def _unreadable(name: str, message: str, line: int | None = None) -> ConfigError:
    fix = "give the path of a configuration: -c FILE"
    return ConfigError([Problem(file=name, line=line, path="", message=message, fix=fix)])
