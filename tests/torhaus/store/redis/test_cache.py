import asyncio
import time
from typing import Any

import msgspec
import pytest

from tests.torhaus.store.redis.valkeys import Valkey, alone, gateways, play, said, until
from torhaus.model.caching import Selector
from torhaus.model.ports import Cache, Entry, Listed, Miss
from torhaus.model.servers import Era
from torhaus.store.redis import cache as rules
from torhaus.store.redis.cache import RedisCache
from torhaus.store.redis.shared import Shared

TAG = "github.list_issues"


def port(cache: RedisCache) -> Cache:
    """Typed, so that a checker sees whether the class keeps the promises of the port."""
    return cache


def entry(result: bytes = b"{}", lasts: float = 60.0, **more: Any) -> Entry:
    now = time.time()
    return Entry(result, Era.MODERN, now, now + lasts, **more)


async def fetched(shared: Shared, one: Entry, key: bytes = b"k", tag: str = TAG) -> bool:
    """A miss, a call, and its answer kept."""
    found = await shared.cache.find(key, tag, time.time())
    assert isinstance(found, Miss)
    return await shared.cache.keep(key, one, tag, found.stamp)


async def known(shared: Shared, key: bytes = b"k", tag: str = TAG) -> bytes | None:
    found = await shared.cache.find(key, tag, time.time())
    return None if isinstance(found, Miss) else found.result


def test_what_one_gateway_fetched_another_knows(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as (one, other):
            full = entry(b'{"a":1}', items=3, arguments=b'{"x":1}', owner="u", stale=5.0)

            assert await fetched(one, full)

            assert await other.cache.find(b"k", TAG, time.time()) == full
            # The second time it is near: nobody is asked.
            assert await other.cache.find(b"k", TAG, time.time()) == full
            assert other.cache._near.stats().hits == 1
            assert (other.cache.stats().hits, other.cache.stats().misses) == (2, 0)
            assert (one.cache.stats().hits, one.cache.stats().misses) == (0, 1)

    play(story)


def test_an_expired_answer_is_stale_for_a_while_and_then_gone(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as (one, other):
            short = entry(lasts=60.0, stale=60.0)
            await fetched(one, short)

            for seconds, stale in ((61.0, short), (121.0, None)):
                for each in (one, other):
                    found = await each.cache.find(b"k", TAG, short.stored + seconds)
                    assert isinstance(found, Miss)
                    assert found.stale == stale


def test_the_server_itself_forgets_an_answer_in_time(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server)) as (one,):
            short = entry(lasts=0.05, stale=0.1)
            await fetched(one, short)

            async def forgotten() -> bool:
                one.cache._near.clear()
                found = await one.cache.find(b"k", TAG, short.stored)
                return isinstance(found, Miss)

            await until(forgotten)

    play(story)


SELECTORS = [
    (Selector(tag="github"), True),
    (Selector(tag="github.list_issues"), True),
    (Selector(tag="github.listIssues"), True),
    (Selector(tag="github.list_issues", where=(("repo", "o/api"),)), True),
    (Selector(tag="github.list_issues", where=(("repo", "o/web"),)), False),
    (Selector(tag="github", owner="u-alice"), True),
    (Selector(tag="github", owner="u-bob"), False),
    (Selector(tag="github.get_issue"), False),
    (Selector(tag="sentry"), False),
]


@pytest.mark.parametrize(("selector", "meant"), SELECTORS)
def test_once_a_purge_returns_no_gateway_knows_what_is_meant(
    server: Valkey, selector: Selector, meant: bool
) -> None:
    async def story() -> None:
        async with gateways(alone(server), 3) as all_:
            await fetched(all_[0], entry(arguments=b'{"repo":"o/api"}', owner="u-alice"))
            assert [await known(each) for each in all_] == [b"{}"] * 3

            count = await all_[1].cache.purge(selector)

            assert [await known(each) is None for each in all_] == [meant] * 3
            assert bool(count) is meant

    play(story)


@pytest.mark.parametrize(("selector", "meant"), SELECTORS)
def test_what_was_fetched_before_a_purge_is_kept_nowhere_if_it_may_be_meant(
    server: Valkey, selector: Selector, meant: bool
) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as (one, other):
            late = entry(arguments=b'{"repo":"o/api"}', owner="u-alice")
            found = await one.cache.find(b"k", TAG, time.time())
            assert isinstance(found, Miss)

            await other.cache.purge(selector)
            kept = await one.cache.keep(b"k", late, TAG, found.stamp)

            if meant:
                assert not kept
                assert not one.cache.fits(found.stamp, TAG)
            assert (await known(other) is not None) == kept
            assert (await known(one) is not None) == kept
            assert await fetched(one, late, b"l")

    play(story)


def test_a_selective_purge_leaves_the_rest(server: Valkey) -> None:
    async def story() -> None:
        settings = alone(server)
        async with gateways(settings, 2) as (one, other):
            for at in range(20):
                await fetched(one, entry(arguments=b'{"repo":"o/%d"}' % (at % 4)), b"%d" % at)
                assert await known(other, b"%d" % at) == b"{}"
            long = msgspec.json.encode({"repo": "o/3", "q": "x" * 1000})
            await fetched(one, entry(arguments=long), b"long")

            gone = await other.cache.purge(Selector(tag=TAG, where=(("repo", "o/1"),)))

            async with gateways(settings) as (third,):
                for each in (one, other, third):
                    left = [at for at in range(20) if await known(each, b"%d" % at) is not None]
                    assert left == [at for at in range(20) if at % 4 != 1]
                # Of a long question only those who asked it know what it was about.
                assert await known(one, b"long") == b"{}"
                assert await known(third, b"long") is None
            assert gone == 6

    play(story)


def test_a_tool_with_more_answers_than_are_indexed_forgets_them_all(
    server: Valkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "INDEXED", 5)

    async def story() -> None:
        settings = alone(server)
        async with gateways(settings, 2) as (one, other):
            for at in range(8):
                await fetched(one, entry(arguments=b'{"repo":"o/%d"}' % at), b"%d" % at)
            async with gateways(settings) as (third,):
                assert await known(third, b"7") == b"{}"

            elsewhere = Selector(tag=TAG, where=(("repo", "o/99"),))
            await other.cache.purge(elsewhere)
            assert [await known(other, b"%d" % at) for at in range(8)] == [None] * 8

            await fetched(one, entry(arguments=b'{"repo":"o/1"}'), b"new")
            await other.cache.purge(elsewhere)
            assert await known(other, b"new") == b"{}"

    play(story)


def test_people_see_what_is_kept_anywhere(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as (one, other):
            kept = [entry(b"x" * at, arguments=b"{}", owner=None) for at in range(3)]
            for at, each in enumerate(kept):
                await fetched(one, each, b"%d" % at, f"github.t{at}")
            await fetched(one, entry(), b"o", "sentry.x")

            found = await other.cache.listed(Selector(tag="github"), 2, time.time())

            assert found == [
                Listed(f"github.t{at}", b"{}", None, at, kept[at].stored, kept[at].expires)
                for at in (2, 1)
            ]
            assert len(await other.cache.listed(Selector(tag="github.T1"), 9, time.time())) == 1

    play(story)


def test_a_flushed_server_makes_nothing_true_again(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own), 2) as (one, other):
            before = await one.cache.find(b"k", TAG, time.time())
            assert isinstance(before, Miss)
            await other.cache.purge(Selector(tag=TAG))
            await said(own, "FLUSHALL")
            now = await other.cache.find(b"k", TAG, time.time())
            assert isinstance(now, Miss)

            assert not await one.cache.keep(b"k", entry(), TAG, before.stamp)
            assert await other.cache.keep(b"k", entry(), TAG, now.stamp)

    play(story)


def test_without_a_server_nothing_is_known_and_nothing_breaks(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own), 2) as (one, other):
            await fetched(one, entry())
            assert await known(other) == b"{}"
            own.kill()

            async def both_lost() -> bool:
                return not one.up and not other.up

            await until(both_lost)
            found = await one.cache.find(b"k", TAG, time.time())
            assert isinstance(found, Miss)
            assert not await one.cache.keep(b"k", entry(), TAG, found.stamp)
            assert not one.cache.fits(found.stamp, TAG)
            assert await one.cache.listed(Selector(tag="github"), 5, time.time()) == []
            began = time.monotonic()
            await one.cache.purge(Selector(tag=TAG))
            assert time.monotonic() - began < 20.0

    play(story)


def test_a_purge_that_the_server_did_not_hear_is_said_again(own: Valkey) -> None:
    """The server stops for a while, as in a network partition, and comes back with its memory."""

    async def story() -> None:
        async with gateways(alone(own, timeout=0.5), 2) as (one, other):
            await fetched(one, entry(b'{"old":1}'))
            own.pause()

            async def both_lost() -> bool:
                await known(one)
                await known(other)
                return not one.up and not other.up

            await until(both_lost)
            await one.cache.purge(Selector(tag=TAG))
            own.resume()

            async def both_back() -> bool:
                return one.up and other.up

            await until(both_back)
            end = time.monotonic() + 2 * rules.SETTLING
            while time.monotonic() < end:
                assert await known(one) is None
                assert await known(other) is None
                await asyncio.sleep(0.05)

    play(story)
