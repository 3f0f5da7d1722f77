import asyncio

import pytest

from tests.torhaus.store.redis.valkeys import (
    Valkey,
    alone,
    as_bytes,
    gateways,
    play,
    said,
    until,
)
from torhaus.model.ports import Charge, Entry, Miss
from torhaus.model.servers import Era, Window
from torhaus.store.redis import presence
from torhaus.store.redis.presence import LEASE, SPARE, nearly_full


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

            async def holds() -> bool:
                return one.presence.holds()

            await asyncio.sleep(LEASE * SPARE + presence.RENEWED)
            await until(holds)

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


@pytest.mark.parametrize(
    ("info", "full"),
    [
        (b"# Memory\r\nused_memory:91\r\nmaxmemory:100\r\n", True),
        (b"used_memory:90\r\nmaxmemory:100\r\n", False),
        (b"used_memory:90\r\nmaxmemory:0\r\n", False),
        (b"used_memory_human:9x\r\n", False),
        (b"", False),
    ],
)
def test_a_server_says_when_its_memory_is_nearly_used_up(info: bytes, full: bool) -> None:
    assert nearly_full(info) is full


def test_answers_leave_counters_the_last_of_the_memory(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own)) as (one,):
            await said(own, "SET", "big", b"x" * 20_000_000)
            info = as_bytes(await said(own, "INFO", "memory"))
            used = info.split(b"used_memory:")[1].split()[0]
            await said(own, "CONFIG", "SET", "maxmemory", int(int(used) * 1.05))

            async def full() -> bool:
                return one.presence.full

            await until(full)
            found = await one.cache.find(b"k", "s.x", 0.0)
            assert isinstance(found, Miss)
            kept = Entry(b"{}", Era.MODERN, 0.0, 60.0)
            assert not await one.cache.keep(b"k", kept, "s.x", found.stamp)
            window = [Charge("w", Window(1, 60.0), "")]
            assert await one.counters.spend(window, 0.0) is None
            assert one.counters.alone == 0

            await said(own, "CONFIG", "SET", "maxmemory", 0)

            async def roomy() -> bool:
                return not one.presence.full

            await until(roomy)

    play(story)
