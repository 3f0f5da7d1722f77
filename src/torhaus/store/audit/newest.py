"""The newest records of day files: what a quiet gateway has no segments of any more."""

import tempfile
from collections.abc import Callable, Collection
from pathlib import Path

import duckdb
import msgspec

from torhaus.audit.cells import restored
from torhaus.audit.views import with_later
from torhaus.store.audit.extract import COLUMNS, connected, quoted
from torhaus.store.audit.journal import JournalReader
from torhaus.store.audit.tiers.shelves import LOCAL, LocalShelf, ShelfError


def newest(
    audit: Path,
    count: int,
    wanted: Callable[[bytes], bool],
    credentials: Collection[str] = (),
) -> list[bytes]:
    """Up to `count` lines of records in hot day files, in no order. Raises OSError.

    `credentials`: only what came with one of these, as the files have them; anything for none.
    Files that cannot be read are left out: `torhaus audit verify` names them.
    """
    hot = LocalShelf(audit / "hot")
    known = JournalReader(audit).now()
    files = [each for each in known.files.values() if each.tier == "hot" and each.place == LOCAL]
    found: list[bytes] = []
    with tempfile.TemporaryDirectory() as spill, connected(Path(spill)) as database:
        for file in sorted(files, key=lambda each: each.written.last, reverse=True):
            if len(found) >= count:
                break
            try:
                found += _last(database, hot.path(file.written.file), count, wanted, credentials)
            except (duckdb.Error, ShelfError):
                continue
    return found


def _last(
    database: duckdb.DuckDBPyConnection,
    path: Path,
    count: int,
    wanted: Callable[[bytes], bool],
    credentials: Collection[str],
) -> list[bytes]:
    # Twice as many, for every intent there is an outcome.
    query = (
        f"SELECT {COLUMNS} FROM {with_later(f'read_parquet({quoted(path)})')} "  # noqa: S608 -- names of ours
        f"{'WHERE list_contains(?, credential) ' if credentials else ''}"
        f"ORDER BY timestamp DESC LIMIT {2 * count}"
    )
    rows = database.execute(query, [[*credentials]] if credentials else []).fetchall()
    lines = [msgspec.json.encode(restored(row)) for row in rows]
    return [line for line in lines if wanted(line)][:count]
