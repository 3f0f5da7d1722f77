"""A gateway's day files: who looks after them, who may be asked for them, and copies of them."""

from collections.abc import Callable

from torhaus.config.settings import Settings
from torhaus.model.keeping import Standing
from torhaus.model.ports import Ledger
from torhaus.store.audit.fetched import Fetched
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.staying import staying
from torhaus.store.audit.tiers.caretaker import Caretaker
from torhaus.store.audit.tiers.depot import Depot, shelves
from torhaus.store.audit.tiers.errand import Errand
from torhaus.store.audit.tiers.restoring import Restores
from torhaus.store.audit.tiers.vault import FileVault


class Storehouse:
    """Built with the loop running. `vault`: for acts. `copies`: for questions."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        ledger: Ledger,
        ids: Callable[[], str],
    ) -> None:
        bucket = settings.bucket
        places = shelves(journal.directory, bucket)
        errand = Errand()

        def depot() -> Depot:
            """Each with a reader of its own: they are asked in different threads."""
            return Depot(
                audit=journal.directory,
                journal=journal,
                reader=JournalReader(journal.directory),
                shelves=places,
                convert=errand,
            )

        self._caretaker = Caretaker(
            depot(),
            settings.retention,
            bucket,
            ledger=ledger,
            errand=errand,
            ids=ids,
            awaited=lambda now: staying(journal.directory, settings.audit, now),
        )
        asked = depot()
        self.vault = FileVault(asked, Restores(asked, bucket), self.standing, self._caretaker.hurry)
        self.copies = Fetched(depot())

    def standing(self) -> Standing:
        """As of the last round."""
        return self._caretaker.standing

    def start(self) -> None:
        self._caretaker.start()

    async def close(self) -> None:
        await self._caretaker.close()
