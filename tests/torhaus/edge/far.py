"""Twins that keep their answers in a real Valkey."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from tests.torhaus.edge.doors import Caller, House
from tests.torhaus.edge.twins import Twins, body, twins
from tests.torhaus.scripted import listing
from tests.torhaus.store.redis.valkeys import Valkey, alone
from torhaus.model.caching import CacheRule, Selector
from torhaus.store.redis.cache import RedisCache
from torhaus.store.redis.shared import Shared

TAG = Selector(tag="github.list_issues")
NOTHING = 0
"""Bytes of memory: every answer comes from the server."""


@asynccontextmanager
async def far(
    server: Valkey, rule: CacheRule | None = None, near: int = NOTHING, timeout: float = 10.0
) -> AsyncIterator[Twins]:
    """Twins that keep their answers in one server, each under a name of its own."""
    shared = [Shared(alone(server, timeout=timeout), near) for _ in range(2)]
    try:
        for each in shared:
            assert await each.first(60.0)
        async with twins(rule, [each.cache for each in shared]) as both:
            yield both
    finally:
        for each in shared:
            await each.close()


def cache(house: House) -> RedisCache:
    found = house.world.gate.cache
    assert isinstance(found, RedisCache)
    return found


async def forget(both: Twins) -> None:
    for house in both.houses:
        await cache(house).purge(TAG)


class Pending:
    """One recognised call of the first house while the server says nothing."""

    def __init__(self, house: House, caller: Caller, reading: "asyncio.Task[Any]") -> None:
        self.house = house
        self.caller = caller
        self.reading = reading


@asynccontextmanager
async def pending(both: Twins, own: Valkey) -> AsyncIterator[Pending]:
    """The server goes on when the body ends."""
    house = both.houses[0]
    caller = await house.connect()
    await caller.begin()
    own.pause()
    try:
        caller.send(body(5))
        reading = asyncio.ensure_future(caller.client.answer())
        await asyncio.sleep(0.05)
        assert not reading.done()
        yield Pending(house, caller, reading)
    finally:
        own.resume()


def learn(house: House, *tools: dict[str, Any]) -> None:
    world = house.world
    world.gate.catalogue.learn(world.server, [listing(*tools).result or b""], world.clock())
