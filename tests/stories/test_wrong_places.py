"""Secrets of every kind, in their places and in all others; nothing that is kept shows one."""

import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.stories.canaries import everywhere
from tests.stories.directory import SOURCE
from tests.stories.ending import Desk
from tests.stories.spills import Spiller
from tests.stories.town import Town, server
from tests.stories.treasure import Treasure
from tests.stories.upstream import Upstream
from torhaus.redact.spellings import spellings

OWN_FILES = ("vault.key", "seal.key", "audit.key")
BARE = secrets.token_hex(20)
"""Nobody knows it, and it has no shape: only where it stands can say that it is none of ours."""
TYPED = "typed-" + secrets.token_hex(16)
TOLD = ("export jsonl", "export csv", "export parquet", "tail")
"""What the audit log tells."""


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with Upstream() as upstream:
        mine = {"url": upstream.url, "auth": {"type": "oauth", "mode": "user"}}
        config: dict[str, Any] = {
            "auth": {"local": {"enabled": True}, "scim": [SOURCE]},
            "groups": {"readers": ["bob@example.com"]},
            "mcpServers": {
                "scripted": server(upstream.url),
                "stored": {"url": upstream.url, "auth": {"type": "stored"}},
                "mine": mine,
            },
        }
        with Town(config, tmp_path_factory.mktemp("house")) as running:
            yield running


def dumped(data: Path) -> dict[str, str]:
    """Every table of the database, as a dump or a backup has it."""
    found = {}
    with closing(sqlite3.connect(f"file:{data / 'state.db'}?mode=ro", uri=True)) as database:
        names = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        for (name,) in names:
            rows = database.execute(f"SELECT * FROM {name}").fetchall()
            found[f"table {name}"] = "\n".join(_told(value) for row in rows for value in row)
    return found


def _told(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def kept(town: Town) -> dict[str, str]:
    """All that is written: tables, files with what was deleted in them, log, records, pages."""
    files = {
        f"file {path.relative_to(town.home)}": path.read_bytes().decode("latin-1")
        for path in town.home.rglob("*")
        if path.is_file() and path.name not in OWN_FILES and path != town.file
    }
    return {**files, **dumped(town.data), **everywhere(town)}


def shown(secret: str, places: dict[str, str]) -> list[str]:
    """Where it stands, in any spelling."""
    wanted = {each.lower() for each in spellings(secret)}
    return [where for where, text in places.items() if any(w in text.lower() for w in wanted)]


def test_no_secret_of_any_kind_is_kept_wherever_it_was_put(house: Town) -> None:
    treasure = Treasure(house)
    treasure.gather()
    every = {**treasure.found, "somebody else's": BARE}
    with Spiller(house) as spiller:
        for what, value in every.items():
            spiller.everywhere(value, words=what == "password")
        for what in ("password", "seed of codes", "recovery code", "somebody else's"):
            treasure.typed(every[what])

    places = kept(house)

    found = {what: shown(secret, places) for what, secret in every.items()}
    assert {what: where for what, where in found.items() if where} == {}
    for told in spiller.told:
        others = [what for what, secret in every.items() if secret != told.value]
        assert [what for what in others if every[what] in told.text] == [], told.what


def test_an_argument_is_in_records_alone(house: Town) -> None:
    """As `audit_logs.parameters` says: it has no shape, and stands where anything may stand."""
    with house.caller() as caller:
        caller.tool("get_note", {"text": TYPED})

    places = shown(TYPED, kept(house))

    assert places != []
    assert [each for each in places if not ("audit" in each or each in TOLD)] == []


def test_the_test_itself_finds_what_is_kept(house: Town) -> None:
    mark = secrets.token_hex(20)
    Desk(house).do("POST", "keys", {"label": mark, "person": "bob@example.com"})

    assert {"table credentials", "file data/state.db-wal"} & set(shown(mark, kept(house)))
