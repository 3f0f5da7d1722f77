"""What the work on day files needs: the journal, the shelves, and who makes such files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torhaus.audit.catalogue import Catalogue, DayFile
from torhaus.model.keeping import Bucket, Tier
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.tiers.bucket import BucketShelf, store_of
from torhaus.store.audit.tiers.order import Made, Order
from torhaus.store.audit.tiers.shelves import LOCAL, LocalShelf, Shelf, ShelfError


class UpkeepError(Exception):
    """A piece of the work failed, and everything is as it was. The text is for people."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Depot:
    """`audit`: `data/audit`. `shelves`: where each tier's files go from now on."""

    audit: Path
    journal: Journal
    reader: JournalReader
    shelves: Mapping[Tier, Shelf]
    convert: Callable[[Order], Made]

    @property
    def segments(self) -> Path:
        return self.audit / "hot"

    @property
    def work(self) -> Path:
        """For unfinished files: whoever holds the lock may clear it."""
        return self.audit / "work"

    def catalogue(self) -> Catalogue:
        """Raises UpkeepError where the journal cannot be trusted: nothing is done on its word."""
        try:
            found = self.reader.now()
        except OSError as error:
            raise UpkeepError(f"the journal cannot be read: {error.strerror}") from error
        if self.reader.damaged:
            line = self.reader.damaged[0]
            raise UpkeepError(
                f"line {line} of the journal is damaged, so nothing is moved or deleted: "
                "run torhaus audit verify"
            )
        return found

    def local(self, tier: str) -> LocalShelf:
        return LocalShelf(self.audit / Tier(tier))

    def shelf_of(self, file: DayFile) -> Shelf:
        """Where the file is. Raises ShelfError for a bucket that is not configured any more."""
        if file.place == LOCAL:
            return self.local(file.tier)
        shelf = self.shelves.get(Tier(file.tier))
        if shelf is None or shelf.place != file.place:
            raise ShelfError(
                f"{file.written.file} is in {file.place}, and storage.audit names another place"
            )
        return shelf


def shelves(audit: Path, bucket: Bucket | None) -> dict[Tier, Shelf]:
    """Hot is always on the disk; the others too, unless there is a bucket."""
    found: dict[Tier, Shelf] = {tier: LocalShelf(audit / tier) for tier in Tier}
    if bucket is not None:
        store = store_of(bucket)
        for tier in (Tier.WARM, Tier.COLD, Tier.ARCHIVE):
            found[tier] = BucketShelf(bucket, tier, store)
    return found
