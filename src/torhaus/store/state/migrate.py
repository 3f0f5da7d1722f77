"""Brings the tables of a state database to the form this version needs."""

from contextlib import suppress

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util.exc import CommandError
from sqlalchemy import Connection, text

from torhaus.model.ports import StateError

LOCK = 0x746F72686175  # "torhau", so that it is nobody else's
"""Key of the PostgreSQL advisory lock under which one process at a time migrates."""


def upgrade(connection: Connection) -> list[str]:
    """Run the steps that are missing, in the transaction that is open; returns their names.

    Processes that start at once go one after another: PostgreSQL by an advisory lock, SQLite
    because the transaction is a writing one. Raises StateError when a newer version has been here.
    """
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
    config = _config(connection)
    steps = _missing(connection, config)
    if steps:
        command.upgrade(config, "head")
    return steps


def missing(connection: Connection) -> list[str]:
    """The steps that `upgrade` would run. Raises StateError as it does."""
    return _missing(connection, _config(connection))


def every() -> list[str]:
    """All steps there are, as a new database needs them."""
    return _steps(ScriptDirectory.from_config(_located()), None)


def _config(connection: Connection) -> Config:
    config = _located()
    config.attributes["connection"] = connection
    return config


def _located() -> Config:
    config = Config()
    config.set_main_option("script_location", "torhaus.store:migrations")
    config.set_main_option("path_separator", "os")
    return config


def _missing(connection: Connection, config: Config) -> list[str]:
    scripts = ScriptDirectory.from_config(config)
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None:
        known = None
        with suppress(CommandError):
            known = scripts.get_revision(current)
        if known is None:
            raise StateError(
                f"the state database is at step {current}, which this version does not know: "
                "start the version of Torhaus that wrote it, or a newer one"
            )
    return _steps(scripts, current)


def _steps(scripts: ScriptDirectory, current: str | None) -> list[str]:
    steps = scripts.iterate_revisions("head", current or "base")
    return [f"{each.revision}: {each.doc.rstrip('.')}" for each in steps][::-1]
