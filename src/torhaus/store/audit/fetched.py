"""Day files as files on this disk, wherever they are: what SQL reads."""

import os
import threading
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import structlog

from torhaus.audit.catalogue import DayFile
from torhaus.model.keeping import Tier
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.tiers.depot import Depot
from torhaus.store.audit.tiers.shelves import LOCAL, ShelfError

log = structlog.get_logger()

MOST = 2 * 1024 * 1024 * 1024
"""Octets of copies that are kept."""


class Fetched:
    """Copies of day files that are in a bucket, by digest, the least used dropped for room.

    A day file never changes, so that a copy is good for ever. `restored`: copies of cold files,
    which are kept for as long as somebody asked for them and belong to `tiers/restoring.py`.
    """

    def __init__(self, depot: Depot, most: int = MOST) -> None:
        self._depot = depot
        self._cache = cache(depot.audit)
        self._most = most
        self._lock = threading.Lock()
        self._proved: set[str] = set()

    def readable(self, file: DayFile) -> bool:
        """Whether `local` finds it now: all but archived files, and cold ones of a bucket.

        The latter it finds once they are restored.
        """
        if file.tier == Tier.COLD and file.place != LOCAL:
            return restored(self._depot.audit, file).is_file()
        return file.tier != Tier.ARCHIVE

    def local(self, files: Iterable[DayFile]) -> list[Path]:
        """Paths to read, in the order of the files; fetches what is not here yet.

        Raises ShelfError when one cannot be had: half of them would look like all.
        """
        found, failed = self.some(files)
        for error in failed.values():
            raise error
        return found

    def some(self, files: Iterable[DayFile]) -> tuple[list[Path], dict[str, ShelfError]]:
        """Paths of those that can be had; by name of file, why the others cannot."""
        paths: list[Path] = []
        failed: dict[str, ShelfError] = {}
        with self._lock:  # two queries over the same days fetch them once
            for each in files:
                try:
                    paths.append(self._path(each))
                except ShelfError as error:
                    failed[each.written.file] = error
            self._make_room({path.name for path in paths})
        return paths, failed

    def _path(self, file: DayFile) -> Path:
        if file.place == LOCAL:
            return self._depot.local(file.tier).path(file.written.file)
        if file.tier == Tier.COLD:
            copy = restored(self._depot.audit, file)
            if not copy.is_file():
                raise ShelfError(f"{file.written.file} is cold: torhaus audit restore")
            return self._checked(copy, file)
        path = self._cache / f"{_digest(file)}.parquet"
        if path.is_file():
            try:
                os.utime(path)
                return self._checked(path, file)
            except (OSError, ShelfError) as error:
                log.warning("audit.copy_spoiled", file=file.written.file, error=str(error))
                path.unlink(missing_ok=True)
        try:
            prepare(self._cache)
            self._depot.shelf_of(file).fetch(file.written, path)
        except OSError as error:
            raise ShelfError(f"{self._cache}: {error.strerror}") from error
        self._proved.add(path.name)
        return path

    def _checked(self, path: Path, file: DayFile) -> Path:
        """Its digest is looked at once for each run of the gateway, its size always."""
        if path.stat().st_size == file.written.octets:
            if path.name in self._proved:
                return path
            found = sha256(path.read_bytes()).hexdigest()
            if found == file.written.sha256:
                self._proved.add(path.name)
                return path
        raise ShelfError(f"{path} is not what the journal says it is")

    def _make_room(self, needed: set[str]) -> None:
        """Drops the copies that were used longest ago, never those that were just asked for."""
        kept = [(path.stat(), path) for path in self._cache.glob("*.parquet")]
        size = sum(found.st_size for found, _ in kept)
        for found, path in sorted(kept, key=lambda each: each[0].st_mtime_ns):
            if size <= self._most:
                return
            if path.name not in needed:
                path.unlink(missing_ok=True)
                self._proved.discard(path.name)
                size -= found.st_size


def cache(audit: Path) -> Path:
    """Where copies of what is in a bucket are, by digest."""
    return audit / "cache"


def restored(audit: Path, file: DayFile) -> Path:
    """Where the copy of a cold file is once it is restored."""
    return audit / "restored" / f"{_digest(file)}.parquet"


def _digest(file: DayFile) -> str:
    """As a file's name, which leads nowhere else. Raises ShelfError."""
    text = file.written.sha256
    if len(text) != 64 or not text.isalnum():
        raise ShelfError(f"the journal has no digest of {file.written.file}")
    return text
