"""Legal holds and restores, for the acts of administrators."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from torhaus.model.evidence import Held, Released
from torhaus.model.keeping import KeepingError, Restore, Restored, Standing
from torhaus.store.audit.tiers.depot import Depot, UpkeepError
from torhaus.store.audit.tiers.restoring import Restores
from torhaus.store.audit.tiers.shelves import ShelfError

_T = TypeVar("_T")


class FileVault:
    """A `Vault`. `depot`: one of its own, for it is asked while the upkeep works.

    `hurry`: has what was asked for worked on at once.
    """

    def __init__(
        self,
        depot: Depot,
        restores: Restores,
        standing: Callable[[], Standing],
        hurry: Callable[[], None],
    ) -> None:
        self._depot = depot
        self._restores = restores
        self._hurry = hurry
        self._lock = threading.Lock()
        self.standing = standing

    async def holds(self) -> list[Held]:
        return await self._do(lambda: [*self._depot.catalogue().holds.values()])

    async def hold(self, held: Held) -> None:
        await self._do(lambda: self._depot.journal.append(held))

    async def release(self, released: Released) -> bool:
        def there() -> bool:
            return released.hold in self._depot.catalogue().holds

        entry = await self._do(lambda: self._depot.journal.append_if(there, released))
        return entry is not None

    async def restores(self, now: float) -> list[Restored]:
        def found() -> list[Restored]:
            return [self._standing_of(each) for each in self._restores.asked() if each.until > now]

        return await self._do(found)

    async def restore(self, restore: Restore, now: float) -> Restored:
        def asked() -> Restored:
            self._restores.add(restore, now)
            return self._standing_of(restore)

        found = await self._do(asked)
        self._hurry()
        return found

    def _standing_of(self, restore: Restore) -> Restored:
        ready, files = self._restores.ready(restore)
        return Restored(restore=restore, ready=ready, files=files)

    async def _do(self, work: Callable[[], _T]) -> _T:
        """In a thread, one at a time: the reader of the journal is no crowd's."""

        def alone() -> _T:
            with self._lock:
                return work()

        try:
            return await asyncio.to_thread(alone)
        except (UpkeepError, ShelfError) as error:
            raise KeepingError(str(error)) from error
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise KeepingError(f"the journal cannot be written: {why}") from error
