import asyncio
import re
import time

import pytest

from tests.torhaus.store.redis.valkeys import (
    HOST,
    Sentinels,
    Valkey,
    alone,
    as_bytes,
    free_port,
    gateways,
    play,
    said,
    until,
)
from torhaus.model.caching import Selector
from torhaus.model.ports import Charge, Entry, Miss
from torhaus.model.redis import RedisSettings
from torhaus.model.servers import Era, Window
from torhaus.model.tls import Tls
from torhaus.store.redis.shared import Shared

LIMIT = 200


class Load:
    """Callers that spend and read through two gateways all the time."""

    def __init__(self, both: list[Shared]) -> None:
        self.both = both
        self.allowed = 0
        self.slowest = 0.0
        self.running = True
        self.charges = [Charge("w", Window(LIMIT, 3600.0), "github")]
        self._wide = [Charge("wide", Window(10**6, 3600.0), "")]

    async def caller(self, shared: Shared) -> None:
        while self.running:
            began = time.monotonic()
            shortage = await shared.counters.spend(self.charges, time.time())
            self.allowed += shortage is None
            assert await shared.counters.spend(self._wide, time.time()) is None
            found = await shared.cache.find(b"k", "github.x", time.time())
            if isinstance(found, Miss):
                now = time.time()
                entry = Entry(b"{}", Era.MODERN, now, now + 0.2)
                await shared.cache.keep(b"k", entry, "github.x", found.stamp)
            self.slowest = max(self.slowest, time.monotonic() - began)
            await asyncio.sleep(0.02)

    async def lost(self) -> bool:
        return not (self.both[0].up or self.both[1].up)

    async def back(self) -> bool:
        return self.both[0].up and self.both[1].up


def test_a_pair_fails_over_under_load_and_no_call_fails(pair: Sentinels) -> None:
    """The primary is killed in the middle of it."""

    async def story() -> None:
        async with gateways(pair.settings(gateways=2), 2) as both:
            load = Load(both)
            callers = [asyncio.ensure_future(load.caller(each)) for each in both * 4]
            await asyncio.sleep(0.3)
            before = load.allowed
            pair.primary.kill()
            killed = time.monotonic()
            await until(load.lost)
            await until(load.back)
            recovered = time.monotonic() - killed
            await asyncio.sleep(0.5)
            load.running = False
            await asyncio.gather(*callers)  # none has failed

            alone_ = both[0].counters.alone + both[1].counters.alone
            print(
                f"\nrecovered in {recovered:.2f} s; allowed {before} before, {load.allowed} in "
                f"all of {LIMIT}; slowest {load.slowest * 1000:.0f} ms; {alone_} decided alone"
            )
            assert recovered < 30.0
            assert load.slowest < 5.0
            assert load.allowed <= LIMIT + LIMIT // 2
            assert alone_ > 0

            # What each used is known to the new primary: nobody begins anew.
            async def all_known() -> bool:
                left = await both[0].counters.remaining(load.charges, time.time())
                return left[0].left == max(0, LIMIT - load.allowed)

            await until(all_known)

    play(story)


async def replicated(primary: Valkey) -> None:
    """Until the replica has acknowledged what is written by now."""

    async def offset(pattern: bytes) -> int:
        found = re.search(pattern, as_bytes(await said(primary, "info", "replication")))
        return -1 if found is None else int(found[1])

    written = await offset(rb"master_repl_offset:(\d+)")

    async def acknowledged() -> bool:
        return await offset(rb"slave0:.*?offset=(\d+)") >= written

    await until(acknowledged)


def test_a_limit_reached_before_a_failover_stays_reached(pair: Sentinels) -> None:
    async def story() -> None:
        async with gateways(pair.settings(gateways=2), 2) as both:
            charges = [Charge("w", Window(20, 3600.0), "github")]
            for _ in range(15):
                for each in both:
                    await each.counters.spend(charges, time.time())
            await replicated(pair.primary)  # what is not, is told to the new primary a little later

            pair.primary.kill()
            found = []
            end = time.monotonic() + 60.0
            while time.monotonic() < end and not (found and both[0].up and both[1].up):
                found += [await each.counters.spend(charges, time.time()) for each in both]
                await asyncio.sleep(0.02)
            found += [await each.counters.spend(charges, time.time()) for each in both]

            assert both[0].up
            assert both[1].up
            assert all(each is not None for each in found)

    play(story)


def test_it_starts_without_a_server_and_finds_it_later(own: Valkey) -> None:
    async def story() -> None:
        own.kill()
        shared = Shared(alone(own))
        assert not await shared.first(0.1)
        assert await shared.counters.spend([Charge("w", Window(1, 60.0), "")], 0.0) is None
        own.start()

        async def up() -> bool:
            return shared.up

        await until(up)
        await shared.close()
        assert not shared.up

    play(story)


def test_files_that_cannot_be_used_are_told_of_at_the_start() -> None:
    async def story() -> None:
        settings = RedisSettings(addresses=((HOST, 1),), tls=Tls(ca_file="/nonexistent/ca.pem"))
        with pytest.raises(OSError, match="No such file"):
            Shared(settings)

    play(story)


def test_closing_lets_go_of_everything_even_without_a_server() -> None:
    async def story() -> None:
        shared = Shared(RedisSettings(addresses=((HOST, free_port()),)))
        await shared.cache.purge(Selector(tag="github"))
        await shared.close()

        others = asyncio.all_tasks() - {asyncio.current_task()}
        assert not others

    play(story)
