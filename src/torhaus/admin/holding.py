"""Which keys this gateway has: told to the others, and kept in step with the file of keys."""

import asyncio

import structlog

from torhaus.admin.means import Means
from torhaus.model.rings import Holder, Keys

log = structlog.get_logger()

EVERY = 5.0
"""Seconds between two announcements when nothing changes."""


class Holding:
    """Owned by one event loop. `id`: another one for each process. `name`: of the machine.

    `shared`: other gateways use the database too; alone, there is nobody to tell.
    """

    def __init__(self, means: Means, keys: Keys, *, id: str, name: str, shared: bool) -> None:
        self._means = means
        self._keys = keys
        self.id = id
        self._name = name
        self._shared = shared
        self._told: Holder | None = None
        self._well = True

    async def turn(self) -> None:
        """Read keys that came, and say so. Raises StateError."""
        try:
            await asyncio.to_thread(self._keys.follow)
        except (OSError, ValueError) as error:  # those at hand are good still
            said = (isinstance(error, OSError) and error.strerror) or str(error)
            if self._well:
                log.error("vault.keys.unreadable", reason=said)
            self._well = False
        else:
            self._well = True
        if self._shared:
            await self._announce()

    async def _announce(self) -> None:
        now, keys, told = self._means.clock(), self._keys.ids(), self._told
        if told is not None and told.keys == keys and now < told.seen + EVERY:
            return
        holder = Holder(self.id, self._name, keys, now)
        async with self._means.office.write() as desk:
            await desk.rings.announce(holder)
            sealing = await desk.rings.sealing()
        if told is None and sealing is not None and sealing.key not in keys:
            log.error("vault.key.missing", key=sealing.key)
        self._told = holder

    async def close(self) -> None:
        """Nobody waits for this gateway any more. Raises StateError."""
        if self._told is not None:
            async with self._means.office.write() as desk:
                await desk.rings.withdraw(self.id)
            self._told = None
