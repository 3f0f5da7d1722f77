import asyncio
import random
import time

import pytest

from tests.torhaus.store.redis.test_cache import entry
from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play
from torhaus.model.caching import Selector
from torhaus.model.ports import Miss
from torhaus.store.redis.shared import Shared


async def race(server: Valkey, rounds: int, seed: int) -> int:
    """Reads and writes of three things through two gateways, in any order; returns the hits.

    A write has happened when the upstream has it, and is answered when the purge has returned:
    whoever asks from then on must not get what was before.
    """
    chance = random.Random(seed)
    truth, told = [0, 0, 0], [0, 0, 0]
    hits = 0

    async def pause() -> None:
        for _ in range(chance.randrange(4)):
            await asyncio.sleep(0)
        if chance.random() < 0.1:
            await asyncio.sleep(chance.random() * 0.002)

    async def read(shared: Shared, thing: int) -> None:
        nonlocal hits
        least = told[thing]
        found = await shared.cache.find(b"%d" % thing, "s.get", time.time())
        if isinstance(found, Miss):
            await pause()
            seen = truth[thing]
            await pause()
            if shared.cache.fits(found.stamp, "s.get"):
                assert seen >= least
            late = entry(b"%d" % seen, arguments=b'{"repo":"o/%d"}' % thing)
            await shared.cache.keep(b"%d" % thing, late, "s.get", found.stamp)
        else:
            hits += 1
            assert int(found.result) >= least, "an answer from before an answered write"

    async def write(shared: Shared, thing: int) -> None:
        truth[thing] += 1
        written = truth[thing]
        await pause()
        where = (("repo", f"o/{thing}"),) if chance.random() < 0.7 else ()
        await shared.cache.purge(Selector(tag="s.get", where=where))
        told[thing] = max(told[thing], written)

    async with gateways(alone(server, timeout=5.0), 2) as pair:

        async def caller() -> None:
            nonlocal rounds
            while rounds > 0:
                rounds -= 1
                act = write if chance.random() < 0.15 else read
                await act(chance.choice(pair), chance.randrange(3))
                await pause()

        await asyncio.gather(*(caller() for _ in range(8)))
    return hits


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
