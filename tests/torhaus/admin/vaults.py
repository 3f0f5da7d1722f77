"""A vault in memory, with the promises of the port."""

from torhaus.model.evidence import Held, Released
from torhaus.model.keeping import KeepingError, Restore, Restored, Shelved, Standing


class MemoryVault:
    """`broken`: why nothing can be done now."""

    def __init__(self) -> None:
        self.kept: dict[str, Held] = {}
        self.released: list[Released] = []
        self.asked: list[Restore] = []
        self.broken: str | None = None

    def _ready(self) -> None:
        if self.broken is not None:
            raise KeepingError(self.broken)

    async def holds(self) -> list[Held]:
        self._ready()
        return [*self.kept.values()]

    async def hold(self, held: Held) -> None:
        self._ready()
        self.kept[held.hold] = held

    async def release(self, released: Released) -> bool:
        self._ready()
        self.released.append(released)
        return self.kept.pop(released.hold, None) is not None

    async def restores(self, now: float) -> list[Restored]:
        self._ready()
        standing = [each for each in self.asked if each.until > now]
        return [Restored(restore=each, ready=1, files=2) for each in standing]

    async def restore(self, restore: Restore, now: float) -> Restored:
        self._ready()
        self.asked.append(restore)
        return Restored(restore=restore, ready=0, files=2)

    def standing(self) -> Standing:
        hot = Shelved(files=2, records=500, octets=12_000)
        return Standing(
            tiers={"hot": hot}, waiting=Shelved(files=1, records=9, octets=900), oldest=0.0
        )
