"""Cold days of a bucket that somebody asked for: copies on this disk, for a while."""

from collections.abc import Sequence
from math import ceil
from pathlib import Path

import msgspec
import structlog

from torhaus.audit.catalogue import Catalogue, DayFile
from torhaus.model.keeping import FROZEN, Bucket, Restore, Tier
from torhaus.store.audit.disk import prepare, put
from torhaus.store.audit.fetched import restored
from torhaus.store.audit.tiers.bucket import BucketShelf
from torhaus.store.audit.tiers.depot import Depot, UpkeepError
from torhaus.store.audit.tiers.glacier import MISSING, Glacier, available
from torhaus.store.audit.tiers.shelves import LOCAL

log = structlog.get_logger()

NAME = "restores.json"
_DAY = 86400

_decode = msgspec.json.Decoder(tuple[Restore, ...]).decode


class Restores:
    """What was asked for, in a file beside the journal, and the work on it."""

    def __init__(self, depot: Depot, bucket: Bucket | None) -> None:
        self._depot = depot
        self._path = depot.audit / NAME
        self._glacier = None if bucket is None else Glacier(bucket)

    def asked(self) -> tuple[Restore, ...]:
        """Raises UpkeepError."""
        try:
            return _decode(self._path.read_bytes())
        except FileNotFoundError:
            return ()
        except (OSError, msgspec.MsgspecError) as error:
            raise UpkeepError(f"{self._path} cannot be read: {error}") from error

    def add(self, restore: Restore, now: float) -> None:
        """Raises UpkeepError, also when it could not be carried out."""
        files = [each for each in self._depot.catalogue().files.values() if covers(restore, each)]
        if any(each.storage_class in FROZEN for each in files) and not available():
            raise UpkeepError(MISSING)
        standing = [each for each in self.asked() if each.until > now]
        self._save((*standing, restore))

    def _save(self, every: tuple[Restore, ...]) -> None:
        try:
            put(self._path, msgspec.json.encode(every))
        except OSError as error:
            raise UpkeepError(f"{self._path}: {error.strerror}") from error

    def work(self, now: float) -> int:
        """Fetches what can be had, asks for what cannot, and drops what is over.

        Returns how many files are still being waited for. Raises ShelfError, UpkeepError, OSError.
        """
        standing = [each for each in self.asked() if each.until > now]
        wanted = _wanted(self._depot.catalogue(), standing)
        self._drop({restored(self._depot.audit, file) for file, _ in wanted})
        waits = 0
        for file, until in wanted:
            if restored(self._depot.audit, file).is_file():
                continue
            if self._thawed(file, max(1, ceil((until - now) / _DAY))):
                self._fetch(file)
            else:
                waits += 1
        return waits

    def _thawed(self, file: DayFile, days: int) -> bool:
        shelf = self._depot.shelf_of(file)
        frozen = file.storage_class in FROZEN
        if not frozen or self._glacier is None or not isinstance(shelf, BucketShelf):
            return True
        key = shelf.key(file.written.file)
        state = self._glacier.state(key)
        if state == "frozen":
            self._glacier.ask(key, days)
            log.info("audit.restore_asked", file=file.written.file, days=days)
        return state == "ready"

    def _fetch(self, file: DayFile) -> None:
        target = restored(self._depot.audit, file)
        prepare(target.parent)
        self._depot.shelf_of(file).fetch(file.written, target)
        log.info("audit.restored", file=file.written.file)

    def _drop(self, kept: set[Path]) -> None:
        for path in (self._depot.audit / "restored").glob("*.parquet"):
            if path not in kept:
                path.unlink(missing_ok=True)

    def ready(self, restore: Restore) -> tuple[int, int]:
        """How many of its cold files can be queried, of how many. Raises UpkeepError."""
        cold = [each for each in self._depot.catalogue().files.values() if covers(restore, each)]
        here = sum(
            each.place == LOCAL or restored(self._depot.audit, each).is_file() for each in cold
        )
        return here, len(cold)


def covers(restore: Restore, file: DayFile) -> bool:
    day = file.written.day
    return file.tier == Tier.COLD and restore.first_day <= day <= restore.last_day


def _wanted(known: Catalogue, standing: Sequence[Restore]) -> list[tuple[DayFile, float]]:
    """Cold files that are asked for, and until when."""
    found = []
    for file in known.files.values():
        ends = [each.until for each in standing if covers(each, file)]
        if ends and file.place != LOCAL:
            found.append((file, max(ends)))
    return found
