"""Day files go from tier to tier, and end.

As with compaction: a file is whole and proved in its new place before the journal says so, and the
journal says so before it is removed from the old one (`sweeping`).
"""

from collections.abc import Callable

import structlog

from torhaus.audit.catalogue import DayFile
from torhaus.audit.retention import held
from torhaus.model.evidence import Deleted, Moved
from torhaus.model.keeping import Tier
from torhaus.store.audit.tiers.compacting import clear
from torhaus.store.audit.tiers.depot import Depot, UpkeepError
from torhaus.store.audit.tiers.shelves import LocalShelf, same

log = structlog.get_logger()


def move(depot: Depot, file: DayFile, tier: Tier) -> None:
    """Raises ShelfError, UpkeepError, OSError: the file is still where it was."""
    written, target = file.written, depot.shelves[tier]
    source = depot.shelf_of(file)
    if isinstance(source, LocalShelf):
        path = source.path(written.file)
        if not same(path, written):
            raise UpkeepError(f"{path} is not what the journal says it is, and stays where it is")
        target.put(path, written)
    else:
        clear(depot)
        path = depot.work / "moving.parquet"
        source.fetch(written, path)
        target.put(path, written)
        path.unlink()
    moved = Moved(
        file=written.file,
        tier=tier.value,
        place=target.place,
        storage_class=target.storage_class,
    )
    depot.journal.append(moved)
    log.info("audit.moved", file=written.file, tier=tier.value, place=target.place)


def end(depot: Depot, file: DayFile, why: str, note: Callable[[DayFile, str], None]) -> bool:
    """The file's tombstone, unless it is held. `note`: leaves the audit record, before.

    Raises UpkeepError, OSError, and what `note` raises.
    """
    span = (file.written.day, file.written.day)

    def free() -> bool:
        return held(span, depot.catalogue().holds.values()) is None

    if not free():
        return False
    note(file, why)
    entry = depot.journal.append_if(free, Deleted(file=file.written.file, why=why))
    if entry is None:
        return False  # it was held while the record was written
    log.info("audit.deleted", file=file.written.file, records=file.written.records, why=why)
    return True
