import asyncio

from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play, said
from torhaus.model.caching import Selector
from torhaus.store.redis.presence import LEASE
from torhaus.store.redis.scripts import RENEW

ISSUES = Selector(tag="github.list_issues")


def test_nobody_is_waited_for_who_has_said_so(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 4) as (one, *others):
            loop = asyncio.get_running_loop()
            stamps = [each.cache._near.stamp() for each in others]
            began = loop.time()

            await asyncio.gather(*(one._drops.announce(ISSUES) for _ in range(20)))

            assert loop.time() - began < LEASE * 0.8
            for each, stamp in zip(others, stamps, strict=True):
                assert not each.cache._near.fits(stamp, "github.list_issues")

    play(story)


def test_a_gateway_that_says_nothing_is_waited_for_until_its_lease_ends(server: Valkey) -> None:
    async def story() -> None:
        settings = alone(server)
        async with gateways(settings) as (one,):
            key = one.presence.key
            await said(server, "EVAL", RENEW.text, 1, key, "deaf", int(LEASE * 1000))
            loop = asyncio.get_running_loop()

            began = loop.time()
            await one._drops.announce(ISSUES)
            assert LEASE * 0.9 < loop.time() - began < LEASE * 5

            began = loop.time()
            await one._drops.announce(ISSUES)
            assert loop.time() - began < LEASE * 0.8

    play(story)


def test_a_message_nobody_can_read_makes_one_forget_everything(server: Valkey) -> None:
    async def story() -> None:
        settings = alone(server)
        async with gateways(settings) as (one,):
            stamp = one.cache._near.stamp()

            await said(server, "PUBLISH", f"{settings.namespace}:drops", "nonsense")
            await said(
                server, "PUBLISH", f"{settings.namespace}:dropped:{one.presence.name}", "x y"
            )
            await one.cache.find(b"k", "s.x", 0.0)

            assert not one.cache._near.fits(stamp, "s.x")

    play(story)


def test_one_waits_for_nobody_when_there_was_nobody(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own)) as (one,):
            own.kill()
            loop = asyncio.get_running_loop()
            began = loop.time()

            await one.cache.purge(ISSUES)

            assert loop.time() - began < LEASE * 0.8

    play(story)
