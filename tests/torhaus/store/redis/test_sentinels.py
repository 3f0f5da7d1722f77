import asyncio

import pytest

from tests.torhaus.store.redis.valkeys import HOST, Sentinels, Valkey, free_port, play
from torhaus.model.redis import RedisSettings, Topology
from torhaus.store.redis.sentinels import primary
from torhaus.store.redis.wire import Unreachable


def test_the_first_sentinel_that_answers_says_which_is_the_primary(pair: Sentinels) -> None:
    async def story() -> None:
        settings = pair.settings()
        assert await primary(settings, None) == pair.primary.address

        pair.sentinels[0].kill()
        assert await primary(settings, None) == pair.primary.address

        unknown = pair.settings()
        unknown = RedisSettings(
            addresses=unknown.addresses, topology=Topology.SENTINEL, primary="other"
        )
        with pytest.raises(Unreachable, match="no primary called other"):
            await primary(unknown, None)
        await asyncio.sleep(0)

    play(story)


def test_no_sentinel_and_no_sentinel_at_all_are_told_of(server: Valkey) -> None:
    async def story() -> None:
        nobody = RedisSettings(addresses=((HOST, free_port()),), topology=Topology.SENTINEL)
        with pytest.raises(Unreachable, match=HOST):
            await primary(nobody, None)

        wrong = RedisSettings(addresses=(server.address,), topology=Topology.SENTINEL)
        with pytest.raises(Unreachable, match="SENTINEL"):
            await primary(wrong, None)

    play(story)
