"""The shared store as a whole: one cache and one set of counters for several gateways."""

import asyncio
from contextlib import suppress

import structlog

from torhaus.model.redis import RedisSettings
from torhaus.store.memory import MemoryCache
from torhaus.store.redis.cache import RedisCache
from torhaus.store.redis.counters import RedisCounters
from torhaus.store.redis.drops import Drops
from torhaus.store.redis.fleet import Fleet
from torhaus.store.redis.presence import Presence
from torhaus.store.redis.wire import Wire

log = structlog.get_logger()


class Shared:
    """Owned by the event loop it is built in. `cache` and `counters` are the gate's ports.

    `near_bytes`: what of the cache is kept in this process. Raises OSError for TLS files that
    cannot be used. It connects by itself, and again whenever it must.
    """

    def __init__(self, settings: RedisSettings, near_bytes: int = 64 * 1024 * 1024) -> None:
        near = MemoryCache(near_bytes)
        self.presence = Presence(settings.namespace)
        self._drops = Drops(settings.namespace, self.presence, near)
        self._opened_before = False
        self._closing = False
        self.fleet = Fleet(
            settings,
            home_key=self.presence.key,
            opened=self._opened,
            lost=self._lost,
            pushed=self._drops.pushed,
        )
        self._drops.fleet = self.fleet
        self.cache = RedisCache(self.fleet, settings, self.presence, self._drops, near)
        self.counters = RedisCounters(self.fleet, settings, self.presence.gateways)
        self._renewing = asyncio.get_running_loop().create_task(self.presence.keep(self.fleet))

    @property
    def up(self) -> bool:
        return self.fleet.up

    async def first(self, seconds: float) -> bool:
        """Wait for the first connection, so long at most. Whether there is one."""
        return await self.fleet.first(seconds)

    async def close(self) -> None:
        self._closing = True
        self._renewing.cancel()
        with suppress(asyncio.CancelledError):
            await self._renewing
        await self.cache.close()
        await self.presence.end(self.fleet)
        await self.fleet.close()

    async def _opened(self, wire: Wire) -> None:
        await self._drops.subscribe(wire)
        await self.presence.begin(wire)
        await self.counters.restore(wire)
        if self._opened_before:
            self.cache.catch_up()
        log.info("redis.connected", again=self._opened_before)
        self._opened_before = True

    def _lost(self) -> None:
        self.presence.lost()
        self._drops.lost()
        self.cache.lost()
        if not self._closing:
            log.warning("redis.lost")
