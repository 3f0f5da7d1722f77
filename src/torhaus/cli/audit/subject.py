"""Everything about one person, as one archive: his records, those about him, rows of the state."""

import asyncio
import hashlib
import json
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any, cast

from torhaus import __version__
from torhaus.audit.part import Part
from torhaus.audit.shape import timestamp
from torhaus.cli.audit.outfile import Written
from torhaus.config.settings import Settings
from torhaus.store.audit.extract import Extract
from torhaus.store.state.database import NAME, Database
from torhaus.store.state.people import about

Rows = Mapping[str, list[dict[str, Any]]]

ELSEWHERE = (
    "not looked into: its file is not in the data directory; name the configuration: -c FILE"
)


class Member:
    """One file of the archive: what goes to it is counted and digested."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._sum = hashlib.sha256()
        self.octets = 0

    def write(self, data: bytes) -> int:
        self.octets += len(data)
        self._sum.update(data)
        return self._stream.write(data)

    def told(self, name: str) -> dict[str, Any]:
        return {"name": name, "octets": self.octets, "sha256": self._sum.hexdigest()}


class Archive:
    """A zip file that is written from its beginning to its end, so that a pipe may take it."""

    def __init__(self, target: Written) -> None:
        self._zip = zipfile.ZipFile(cast("IO[bytes]", _Forward(target)), "w", zipfile.ZIP_DEFLATED)
        self.files: list[dict[str, Any]] = []

    def add(self, name: str, write: Any) -> None:
        """`write` is given where to write to."""
        with self._zip.open(name, "w", force_zip64=True) as stream:
            member = Member(stream)
            write(Written(cast("IO[bytes]", member)))
        self.files.append(member.told(name))

    def close(self, manifest: Mapping[str, Any]) -> None:
        whole = {**manifest, "files": self.files}
        self._zip.writestr("manifest.json", json.dumps(whole, indent=2, ensure_ascii=False) + "\n")
        self._zip.close()


class _Forward:
    """A stream that nobody can go back in."""

    def __init__(self, target: Written) -> None:
        self._target = target

    def write(self, data: bytes) -> int:
        self._target.write(bytes(data))
        return len(data)

    def flush(self) -> None:
        """The file is flushed at its end."""


def archived(
    found: Extract, target: Written, wanted: Part, name: str, write: Any, rows: Rows | None
) -> None:
    """Records go to `name` as `write` writes them; `rows`: None where the state is elsewhere."""
    archive = Archive(target)
    archive.add(name, lambda stream: write(found, stream))
    for table, held in ({} if rows is None else rows).items():
        text = json.dumps(held, indent=2, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
        archive.add(f"state/{table}.json", lambda stream, text=text: stream.write(text))
    archive.close(
        {
            "subject": wanted.subject,
            "from": wanted.since or None,
            "to": wanted.until or None,
            "made": timestamp(time.time()),
            "torhaus": __version__,
            "records": found.count,
            "damaged_lines": found.damaged,
            "left_out": list(found.left_out),
            "state": ELSEWHERE if rows is None else "included",
        }
    )


def rows_about(email: str, data_dir: Path, settings: Settings | None) -> Rows | None:
    """What the state database holds about somebody; None where nobody said where it is.

    Raises StateError.
    """
    url = None if settings is None else settings.state_url
    if url is None and not (data_dir / NAME).exists():
        return None if settings is None else {}
    return asyncio.run(_rows(Database(None if url is None else url.reveal(), data_dir), email))


async def _rows(database: Database, email: str) -> Rows:
    try:
        await database.connect()
        async with database.read() as connection:
            return await about(connection, email)
    finally:
        await database.close()
