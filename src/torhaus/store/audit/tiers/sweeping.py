"""Removes what the journal says is somewhere else by now, or nowhere.

All removal of audit records happens here, on the word of the journal alone. Names it does not
know are never touched.
"""

from collections.abc import Container, Iterator
from dataclasses import dataclass, field

import structlog

from torhaus.audit.catalogue import Catalogue
from torhaus.audit.holdings import holders
from torhaus.audit.reconcile import listed
from torhaus.model.keeping import Tier
from torhaus.store.audit.disk import sync_directory
from torhaus.store.audit.fetched import cache
from torhaus.store.audit.tiers.depot import Depot
from torhaus.store.audit.tiers.shelves import LOCAL, Shelf

log = structlog.get_logger()


@dataclass(slots=True)
class Sweeper:
    """`grace`: seconds that what may go is left for those who are reading it."""

    grace: float
    _since: dict[tuple[str, str], float] = field(default_factory=dict)

    def segments(self, depot: Depot, now: float, awaited: Container[str] = ()) -> int:
        """Removes segments whose records are in day files; how many.

        `awaited`: those that are still to be delivered somewhere. The files on this disk are
        looked at first. Raises ShelfError, UpkeepError, OSError.
        """
        known = depot.catalogue()
        gone = 0
        for name in known.compacted:
            path = depot.segments / name
            if path.parent != depot.segments or name in awaited or not path.is_file():
                continue
            _look(depot, known, name)
            if self._ripe("", name, now):
                path.unlink()
                gone += 1
        if gone:
            sync_directory(depot.segments)
            log.info("audit.segments_removed", segments=gone)
        return gone

    def disk(self, depot: Depot, now: float) -> list[str]:
        """Removes day files from local tiers; returns names that no journal knows.

        Raises ShelfError, UpkeepError, OSError.
        """
        known = depot.catalogue()
        strange: list[str] = []
        for tier in Tier:
            shelf = depot.local(tier)
            for name in list(shelf.names()):
                if not listed(known, name):
                    strange.append(f"{tier}/{name}")
                elif self._goes(depot, known, shelf, tier, name):
                    self._remove(shelf, tier, name, now)
        return strange

    def copies(self, depot: Depot) -> None:
        """Removes copies of files that have ended. Raises UpkeepError, OSError."""
        kept = {file.written.sha256 for file in depot.catalogue().files.values()}
        for path in cache(depot.audit).glob("*.parquet"):
            if path.stem not in kept:
                path.unlink(missing_ok=True)

    def buckets(self, depot: Depot, now: float) -> None:
        """The same for what is kept elsewhere. Raises ShelfError, UpkeepError, OSError."""
        known = depot.catalogue()
        for tier, shelf in _elsewhere(depot):
            for name in list(shelf.names()):
                if listed(known, name) and self._goes(depot, known, shelf, tier, name):
                    self._remove(shelf, tier, name, now)

    def _goes(self, depot: Depot, known: Catalogue, shelf: Shelf, tier: Tier, name: str) -> bool:
        """Whether this is not where the file is. Where it is, it is looked at first."""
        file = known.files.get(name)
        if file is None:
            return True  # replaced or deleted
        if file.tier == tier and file.place == shelf.place:
            return False
        depot.shelf_of(file).check(file.written)
        return True

    def _remove(self, shelf: Shelf, tier: Tier, name: str, now: float) -> None:
        if self._ripe(f"{tier} {shelf.place}", name, now):
            shelf.remove(name)
            log.info("audit.removed", file=name, tier=tier.value, place=shelf.place)

    def _ripe(self, where: str, name: str, now: float) -> bool:
        since = self._since.setdefault((where, name), now)
        if now - since < self.grace:
            return False
        del self._since[where, name]
        return True


def _look(depot: Depot, known: Catalogue, segment: str) -> None:
    """Raises ShelfError unless the files that hold its records are there."""
    for file in holders(known, segment):
        if file.place == LOCAL:
            depot.shelf_of(file).check(file.written)


def _elsewhere(depot: Depot) -> Iterator[tuple[Tier, Shelf]]:
    for tier, shelf in depot.shelves.items():
        if shelf.place != LOCAL:
            yield tier, shelf
