import asyncio

from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play, until
from torhaus.store.redis import presence
from torhaus.store.redis.presence import LEASE, SPARE


def test_gateways_know_how_many_they_are(server: Valkey) -> None:
    async def story() -> None:
        settings = alone(server)
        async with gateways(settings) as (one,):
            assert one.presence.gateways() == 1
            async with gateways(settings, 2):

                async def three() -> bool:
                    return one.presence.gateways() == 3

                await until(three)

            async def left() -> bool:
                return one.presence.gateways() == 1

            await until(left)

    play(story)


def test_a_lease_is_renewed_while_there_is_a_server_and_ends_when_it_is_lost(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own)) as (one,):
            await asyncio.sleep(LEASE * SPARE + presence.RENEWED)
            assert one.presence.holds()

            own.kill()

            async def lost() -> bool:
                return not one.up

            await until(lost)
            assert not one.presence.holds()

    play(story)


def test_a_lease_ends_by_itself_when_the_server_is_silent(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own, timeout=30.0)) as (one,):
            assert one.presence.holds()
            own.pause()

            await asyncio.sleep(LEASE)

            assert one.up
            assert not one.presence.holds()
            own.resume()

    play(story)
