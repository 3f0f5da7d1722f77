"""Where the files of a question are: what the journal lists, made readable here."""

import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from torhaus.audit.catalogue import DayFile
from torhaus.audit.holdings import Holdings, Segment, holdings
from torhaus.model.asking import Skipped
from torhaus.store.audit.journal import NAME, JournalReader
from torhaus.store.audit.pseudonyms import mapping

log = structlog.get_logger()

LOCAL = "local"
_TIERS = frozenset({"hot", "warm", "cold"})


class Fetched(msgspec.Struct, frozen=True):
    """Day files of a bucket as they are on this disk now, and those that cannot be had."""

    paths: tuple[Path, ...] = ()
    skipped: tuple[Skipped, ...] = ()


Fetch = Callable[[Sequence[DayFile]], Fetched]


class Found(msgspec.Struct, frozen=True):
    """`segments` by path. `people`: pseudonyms, and whom they mean."""

    segments: tuple[Segment, ...]
    days: tuple[str, ...]
    skipped: tuple[Skipped, ...] = ()
    people: Mapping[str, str] = {}


def elsewhere(files: Sequence[DayFile]) -> Fetched:
    """Where no bucket is configured."""
    days = tuple(sorted({each.written.day for each in files}))
    if not days:
        return Fetched()
    fix = "name the bucket they are in under storage.audit"
    return Fetched(skipped=(Skipped(days=days, why="in a bucket", fix=fix),))


class AuditFiles:
    """The files under `directory` (`data/audit`). `fetch`: for day files that are in a bucket.

    Any thread may ask.
    """

    def __init__(self, directory: Path, fetch: Fetch = elsewhere) -> None:
        self._directory = directory.absolute()
        self._fetch = fetch
        self._journal = JournalReader(self._directory)
        self._lock = threading.Lock()

    def find(self, first_day: str, last_day: str) -> Found:
        """All files with records of these days, as they are now. Raises OSError."""
        people = self._people()
        if not (self._directory / NAME).exists():
            return msgspec.structs.replace(self._unlisted(), people=people)
        with self._lock:
            listed = holdings(self._journal.now(), first_day, last_day)
        return msgspec.structs.replace(self._placed(listed), people=people)

    def _people(self) -> Mapping[str, str]:
        try:
            return mapping(self._directory.parent)
        except ValueError as error:
            log.error("audit.pseudonyms_unreadable", error=str(error))
            return {}  # records are told with the pseudonyms as they are

    def _placed(self, listed: Holdings) -> Found:
        here = [each for each in listed.files if each.place == LOCAL and each.tier in _TIERS]
        fetched = self._fetch([each for each in listed.files if each.place != LOCAL])
        skipped = list(fetched.skipped)
        if listed.archived:
            skipped.append(Skipped(days=listed.archived, why="archived", fix=""))
        paths = (
            *(self._directory / each.tier / each.written.file for each in here),
            *fetched.paths,
        )
        return Found(
            tuple(self._segment(each) for each in listed.segments),
            tuple(str(path.absolute()) for path in paths),  # the worker's directory is another
            tuple(skipped),
        )

    def _segment(self, segment: Segment) -> Segment:
        return Segment(str(self._directory / "hot" / Path(segment.name).name), segment.without)

    def _unlisted(self) -> Found:
        """An older version wrote these; the next start of a gateway takes them into a journal."""
        paths = sorted((self._directory / "hot").glob("seg-*.jsonl"))
        return Found(tuple(Segment(str(path)) for path in paths), ())
