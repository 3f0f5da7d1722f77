import asyncio
import random
import time

import pytest

from tests.torhaus.store.redis.test_cache import entry
from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play
from torhaus.model.caching import Selector
from torhaus.model.ports import Miss
from torhaus.store.redis.cache import RedisCache
from torhaus.store.redis.shared import Shared


class Race:
    """Reads and writes of three things through two gateways, in any order.

    A write has happened when the upstream has it, and is answered when the purge has returned:
    whoever asks from then on must not get what was before.
    """

    def __init__(self, rounds: int, seed: int) -> None:
        self.rounds = rounds
        self.hits = 0
        self._chance = random.Random(seed)
        self._truth, self._told = [0, 0, 0], [0, 0, 0]

    async def caller(self, pair: list[Shared]) -> None:
        while self.rounds > 0:
            self.rounds -= 1
            act = self._write if self._chance.random() < 0.15 else self._read
            await act(self._chance.choice(pair).cache, self._chance.randrange(3))
            await self._pause()

    async def _pause(self) -> None:
        for _ in range(self._chance.randrange(4)):
            await asyncio.sleep(0)
        if self._chance.random() < 0.1:
            await asyncio.sleep(self._chance.random() * 0.002)

    async def _read(self, cache: RedisCache, thing: int) -> None:
        least = self._told[thing]
        found = await cache.find(b"%d" % thing, "s.get", time.time())
        if not isinstance(found, Miss):
            self.hits += 1
            assert int(found.result) >= least, "an answer from before an answered write"
            return
        await self._pause()
        seen = self._truth[thing]
        await self._pause()
        if cache.fits(found.stamp, "s.get"):
            assert seen >= least
        late = entry(b"%d" % seen, arguments=b'{"repo":"o/%d"}' % thing)
        await cache.keep(b"%d" % thing, late, "s.get", found.stamp)

    async def _write(self, cache: RedisCache, thing: int) -> None:
        self._truth[thing] += 1
        written = self._truth[thing]
        await self._pause()
        where = (("repo", f"o/{thing}"),) if self._chance.random() < 0.7 else ()
        await cache.purge(Selector(tag="s.get", where=where))
        self._told[thing] = max(self._told[thing], written)


async def race(server: Valkey, rounds: int, seed: int) -> int:
    """How many reads were hits."""
    running = Race(rounds, seed)
    async with gateways(alone(server, timeout=5.0), 2) as pair:
        await asyncio.gather(*(running.caller(pair) for _ in range(8)))
    return running.hits


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_race_of_reads_and_writes_shows_what_a_write_has_changed(
    server: Valkey, seed: int
) -> None:
    async def story() -> None:
        assert await race(server, 1500, seed) > 100

    play(story)


@pytest.mark.soak
def test_not_even_in_ten_thousand_rounds(server: Valkey) -> None:
    async def story() -> None:
        assert await race(server, 10_000, 4) > 1000

    play(story, 300.0)
