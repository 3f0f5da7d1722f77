import asyncio
import time
from pathlib import Path

import pytest
from hiredis import ReplyError

from tests.torhaus.store.redis.valkeys import Cluster, Valkey, alone, gateways, play, said, until
from torhaus.model.caching import Selector
from torhaus.model.ports import Charge, Entry, Miss
from torhaus.model.redis import Login
from torhaus.model.secret import Secret
from torhaus.model.servers import Era, Window
from torhaus.store.redis.scripts import BUMP, Script
from torhaus.store.redis.slots import slot
from torhaus.store.redis.wire import Unreachable


def test_every_key_is_asked_of_the_node_that_has_it(cluster: Cluster) -> None:
    async def story() -> None:
        async with gateways(cluster.settings(namespace="spread")) as (one,):
            keys = [f"spread:{n}".encode() for n in range(60)]
            assert {slot(key) * 3 // 16384 for key in keys} == {0, 1, 2}

            async def set_all() -> bool:
                try:
                    for key in keys:
                        await one.fleet.ask(key, "SET", key, key)
                except Unreachable:
                    return False  # a line is still being laid
                return True

            await until(set_all)
            assert [await one.fleet.ask(key, "GET", key) for key in keys] == keys
            sizes = [await said(node, "DBSIZE") for node in cluster.nodes]
            assert min(sizes) > 0

    play(story)


def test_a_cluster_shares_answers_and_budgets(cluster: Cluster) -> None:
    async def story() -> None:
        async with gateways(cluster.settings(namespace="both"), 2) as (one, other):
            now = time.time()
            for server in ("github", "sentry", "gitlab", "jira"):
                tag = f"{server}.list"

                async def kept(tag: str = tag) -> bool:
                    found = await one.cache.find(b"k", tag, now)
                    assert isinstance(found, Miss)
                    entry = Entry(b"{}", Era.MODERN, now, now + 60.0, arguments=b'{"a":"x"}')
                    return await one.cache.keep(b"k", entry, tag, found.stamp)

                await until(kept)

                async def found(tag: str = tag) -> bool:
                    return not isinstance(await other.cache.find(b"k", tag, now), Miss)

                await until(found)
                await other.cache.purge(Selector(tag=tag, where=(("a", "x"),)))
                assert not await found()
                assert isinstance(await one.cache.find(b"k", tag, now), Miss)

            charges = [Charge(f"{n}", Window(5, 60.0), "") for n in range(3)]
            spends = (each.counters.spend(charges, now) for each in (one, other) * 10)
            assert sum(each is None for each in await asyncio.gather(*spends)) == 5
            assert one.counters.alone == other.counters.alone == 0

    play(story)


def test_a_slot_that_moves_is_followed(cluster: Cluster) -> None:
    async def story() -> None:
        async with gateways(cluster.settings(namespace="moving")) as (one,):
            key = b"moving:1"
            number = slot(key)
            ids = [(await said(node, "CLUSTER", "MYID")).decode() for node in cluster.nodes]
            at = next(n for n in range(3) if number < (5461, 10923, 16384)[n])
            to = (at + 1) % 3

            async def written() -> bool:
                try:
                    return bool(await one.fleet.ask(key, "SET", key, "here") == b"OK")
                except Unreachable:
                    return False

            await until(written)
            source, target = cluster.nodes[at], cluster.nodes[to]
            await said(target, "CLUSTER", "SETSLOT", number, "IMPORTING", ids[at])
            await said(source, "CLUSTER", "SETSLOT", number, "MIGRATING", ids[to])
            await said(source, "MIGRATE", *target.address, key, 0, 5000)

            async def asked() -> bool:
                try:
                    return bool(await one.fleet.ask(key, "GET", key) == b"here")
                except Unreachable:
                    return False

            await until(asked)  # ASK: the slot has not moved yet
            for node in (target, source):
                await said(node, "CLUSTER", "SETSLOT", number, "NODE", ids[to])
            await until(asked)  # MOVED
            assert await asked()

            for node in cluster.nodes:  # as the other tests have it
                await said(node, "CLUSTER", "SETSLOT", number, "NODE", ids[to])

    play(story)


def test_a_node_that_dies_is_replaced_by_its_replica() -> None:
    async def story() -> None:
        quick = ("cluster-node-timeout 1000", "cluster-replica-validity-factor 0")
        cluster = Cluster(*quick)
        try:
            await cluster.form()
            replica = await cluster.replica_of_the_first(*quick)
            settings = cluster.settings(namespace="dying")
            async with gateways(settings, 1) as (one,):
                key = next(k for k in (b"dying:%d" % n for n in range(99)) if slot(k) < 5000)

                async def written() -> bool:
                    try:
                        return bool(await one.fleet.ask(key, "SET", key, "here") == b"OK")
                    except Unreachable:
                        return False

                await until(written)
                cluster.nodes[0].kill()
                await until(written)
                assert await said(replica, "GET", key) == b"here"
        finally:
            cluster.close()

    play(story)


def test_a_purge_that_one_node_of_a_cluster_missed_is_said_again() -> None:
    """Its node is paused; the home, which has the leases and the channels, is not."""

    async def story() -> None:
        cluster = Cluster("cluster-node-timeout 15000")
        try:
            await cluster.form()
            settings = cluster.settings(namespace="partly", timeout=0.5)
            async with gateways(settings, 2) as (one, other):
                bounds = (5461, 10923, 16384)
                home = next(n for n in range(3) if slot(one.presence.key) < bounds[n])
                names = (f"s{n}" for n in range(99))
                name, at = next(
                    (name, at)
                    for name in names
                    for at in range(3)
                    if at != home
                    and (0, *bounds)[at] <= slot(f"{{partly:{name}}}".encode()) < bounds[at]
                )
                now = time.time()

                async def kept() -> bool:
                    found = await one.cache.find(b"k", f"{name}.x", now)
                    if isinstance(found, Miss):
                        old = Entry(b"{}", Era.MODERN, now, now + 60.0)
                        await one.cache.keep(b"k", old, f"{name}.x", found.stamp)
                    there = await other.cache.find(b"k", f"{name}.x", now)
                    return not isinstance(there, Miss)

                await until(kept)
                cluster.nodes[at].pause()
                await one.cache.purge(Selector(tag=f"{name}.x"))
                for each in (one, other):
                    assert each.up
                    assert isinstance(await each.cache.find(b"k", f"{name}.x", now), Miss)
                cluster.nodes[at].resume()

                async def told() -> bool:
                    return one.cache._catching_up is not None and one.cache._catching_up.done()

                await until(told)
                for each in (one, other):
                    assert isinstance(await each.cache.find(b"k", f"{name}.x", now), Miss)
        finally:
            cluster.close()

    play(story)


def test_a_complaint_about_the_question_is_the_askers(server: Valkey) -> None:
    async def story() -> None:
        settings = alone(server)
        async with gateways(settings) as (one,):
            key = f"{settings.namespace}:x"
            await one.fleet.ask(key, "SET", key, "text")
            with pytest.raises(ReplyError, match="WRONGTYPE"):
                await one.fleet.ask(key, "HGET", key, "f")
            with pytest.raises(Unreachable, match="WRONGTYPE"):
                await one.fleet.run(BUMP, (key,), ("v", "f"))
            with pytest.raises(Unreachable, match="compil"):
                await one.fleet.run(Script("this is no Lua"), (key,), ())
            one.fleet.tell(key, "DEL", key)
            one.fleet.tell_home("PING")
            assert await one.fleet.ask(key, "EXISTS", key) == 0

    play(story)


def test_a_database_of_its_own_is_used(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server, database=3)) as (one,):
            await one.fleet.ask("x", "SET", "in-three", "1")

            assert await said(server, "EXISTS", "in-three") == 0

    play(story)


def test_a_server_that_becomes_a_replica_is_left(own: Valkey, server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own)) as (one,):
            await said(own, "REPLICAOF", *server.address)

            with pytest.raises(Unreachable, match="READONLY"):
                await one.fleet.ask("x", "SET", "x", "1")
            assert not one.fleet.up

            await said(own, "REPLICAOF", "NO", "ONE")

            async def up() -> bool:
                return one.fleet.up

            await until(up)

    play(story)


def rights() -> list[str]:
    """What the documentation tells operators to grant."""
    text = (Path(__file__).parents[4] / "docs" / "shared-store.md").read_text()
    block = text.split("```\nACL SETUSER torhaus on >PASSWORD ")[1].split("```")[0]
    return block.split()


def test_a_user_with_only_the_rights_we_name_is_enough(own: Valkey) -> None:
    async def story() -> None:
        await said(own, "ACL", "SETUSER", "torhaus", "on", ">s3cret", *rights())
        await said(own, "ACL", "SETUSER", "default", "off")
        login = Login("torhaus", Secret("s3cret"))
        async with gateways(alone(own, namespace="torhaus", login=login), 2) as (one, other):
            now = time.time()
            found = await one.cache.find(b"k", "github.x", now)
            assert isinstance(found, Miss)
            entry = Entry(b"{}", Era.MODERN, now, now + 60.0, arguments=b"{}")
            assert await one.cache.keep(b"k", entry, "github.x", found.stamp)
            assert await other.cache.find(b"k", "github.x", now) == entry
            assert await other.cache.purge(Selector(tag="github.x", where=(("a", "b"),))) == 1
            assert await one.counters.spend([Charge("w", Window(1, 60.0), "")], now) is None
            left = await other.counters.remaining([Charge("w", Window(1, 60.0), "")], now)
            assert left[0].left == 0
            assert one.counters.alone == 0

    play(story)
