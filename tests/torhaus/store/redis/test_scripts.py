"""The scripts under a clock that tests turn: TIME is read from a key instead."""

import asyncio
from hashlib import sha1
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.torhaus.store.redis.valkeys import Valkey, play, said
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.ports import Charge
from torhaus.model.servers import Window
from torhaus.store.counters import MemoryCounters
from torhaus.store.redis.counters import MICRO, _words
from torhaus.store.redis.scripts import ALL, LOOK, RESTORE, SPEND, Script
from torhaus.store.redis.wire import Wire

START = 1_900_000_000
"""Ahead of the real clock, which decides when keys expire."""
BUDGETS: dict[str, Budget] = {
    "w": Window(3, 2.0),
    "v": Window(5, 4.0),
    "s": Slots(2, lease=1.5),
    "q": Quota(6, "m", START + 1e6),
    "p": Pace(2, 1.0, 3),
    "u": Seats(1, "u-alice", "m", START + 1e6),
}
ACTS = st.lists(
    st.tuples(st.sets(st.sampled_from("wvsqpu"), min_size=1), st.integers(0, 6), st.booleans()),
    min_size=1,
    max_size=25,
)


def turned(script: Script) -> str:
    return script.text.replace("redis.call('TIME')", "redis.call('HMGET', 'clock', 's', 'us')")


class Turned:
    """A server whose clock is ours. Times in seconds; eighths of one are exact everywhere."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire

    async def at(self, now: float) -> None:
        whole = int(now)
        microseconds = round((now - whole) * MICRO)
        await self._wire.call("HSET", "clock", "s", whole, "us", microseconds)

    async def spend(self, charges: list[Charge], lease: str = "") -> tuple[int, float]:
        words = [lease, *(word for each in charges for word in _words(each.budget, each.amount))]
        found = await self._eval(SPEND, [each.key for each in charges], words)
        return found[0], int(found[1]) / MICRO

    async def look(self, charges: list[Charge]) -> list[tuple[int, float]]:
        words = [word for each in charges for word in _words(each.budget, each.amount)]
        found = await self._eval(LOOK, [each.key for each in charges], words)
        return [(int(left), int(reset) / MICRO) for left, reset in found]

    async def restore(self, key: str, *words: Any) -> None:
        await self._eval(RESTORE, [key], list(words))

    async def _eval(self, script: Script, keys: list[str], words: list[Any]) -> Any:
        return await self._wire.call("EVAL", turned(script), len(keys), *keys, *words)


async def opened(server: Valkey) -> tuple[Wire, Turned]:
    await said(server, "FLUSHALL")
    loop = asyncio.get_running_loop()
    _, wire = await loop.create_connection(
        lambda: Wire(5.0, lambda _: None, lambda _: None), *server.address
    )
    return wire, Turned(wire)


def test_scripts_go_by_their_digests() -> None:
    assert [each.digest for each in ALL] == [
        sha1(each.text.encode(), usedforsecurity=False).hexdigest() for each in ALL
    ]
    assert len({each.digest for each in ALL}) == len(ALL)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(ACTS)
def test_the_script_decides_as_the_counters_in_this_process_do(
    own_clock: Valkey, acts: list[tuple[set[str], int, bool]]
) -> None:
    async def story() -> None:
        wire, server = await opened(own_clock)
        oracle = MemoryCounters()
        now = float(START)
        for at, (names, eighths, ends) in enumerate(acts):
            # A use more than a microsecond after the last: the script gives each its own time.
            now += eighths / 8 if eighths else 1 / 1024
            charges = [Charge(name, BUDGETS[name], name) for name in sorted(names)]
            await server.at(now)

            short, seconds = await server.spend(charges, f"c{at}")
            expected = oracle.take(charges, now, f"c{at}")

            assert (short == 0) == (expected is None)
            if expected is not None:
                assert seconds == pytest.approx(expected.retry_after, abs=1e-4)
            elif ends and "s" in names:
                oracle.release(charges, f"c{at}")
                await wire.call("ZREM", "s", f"c{at}")
            every = [Charge(name, budget, name) for name, budget in BUDGETS.items()]
            for (left, reset), one in zip(
                await server.look(every), await oracle.remaining(every, now), strict=True
            ):
                assert left == one.left
                assert reset == pytest.approx(one.reset, abs=1e-4)
        wire.close()

    play(story)


def test_a_microsecond_is_given_to_each_use(own_clock: Valkey) -> None:
    async def story() -> None:
        wire, server = await opened(own_clock)
        charge = [Charge("w", Window(3, 10.0), "")]
        await server.at(START)

        assert [await server.spend(charge) for _ in range(3)] == [
            (0, START),
            (0, START + 1e-6),
            (0, START + 2e-6),
        ]
        assert (await server.spend(charge))[0] == 1
        assert await wire.call("LLEN", "w") == 3
        wire.close()

    play(story)


def test_a_window_remembers_no_more_than_it_must_and_goes_when_it_is_over(
    own_clock: Valkey,
) -> None:
    async def story() -> None:
        wire, server = await opened(own_clock)
        for at in range(50):
            await server.at(START + at * 11.0)
            await server.spend([Charge("w", Window(3, 10.0), "")])

        assert await wire.call("LLEN", "w") == 3
        assert 0 < await wire.call("PTTL", "w") <= 10_001
        wire.close()

    play(story)


def test_a_clock_set_far_back_closes_a_window_for_no_longer_than_itself(own_clock: Valkey) -> None:
    async def story() -> None:
        wire, server = await opened(own_clock)
        charge = [Charge("w", Window(2, 10.0), "")]
        await server.at(START + 1e6)
        await server.spend(charge)
        await server.spend(charge)
        await server.at(START)

        short, seconds = await server.spend(charge)
        assert short == 1
        assert seconds <= 10.0
        await server.at(START + 10.1)
        assert (await server.spend(charge))[0] == 0
        wire.close()

    play(story)


def test_a_raised_and_a_lowered_limit_count_what_was_used(own_clock: Valkey) -> None:
    async def story() -> None:
        wire, server = await opened(own_clock)
        for at in range(4):
            await server.at(START + at)
            assert (await server.spend([Charge("w", Window(4, 10.0), "")]))[0] == 0

        lowered = await server.spend([Charge("w", Window(2, 10.0), "")])
        assert lowered == (1, pytest.approx(9.0, abs=1e-5))
        assert (await server.spend([Charge("w", Window(5, 10.0), "")]))[0] == 0
        assert (await server.spend([Charge("w", Window(5, 10.0), "")]))[0] == 1
        assert await server.spend([Charge("w", Window(0, 10.0), "")]) == (1, 10.0)
        wire.close()

    play(story)


def test_what_a_failover_lost_is_put_back_once(own_clock: Valkey) -> None:
    async def story() -> None:
        wire, server = await opened(own_clock)
        window = [Charge("w", Window(5, 10.0), "")]
        await server.at(START)
        times = [(await server.spend(window))[1] for _ in range(2)]
        own = [round((START - back) * MICRO) for back in (30, 3, 1)]

        for _ in range(2):
            await server.restore("w", "w", 5, 10 * MICRO, *own, round(times[0] * MICRO))

        assert [int(at) for at in await wire.call("LRANGE", "w", 0, -1)] == [
            own[1],
            own[2],
            *(round(at * MICRO) for at in times),
        ]
        assert (await server.look(window))[0] == (1, 7.0)

        slots, seats = (
            Charge("s", Slots(2, 5.0), ""),
            Charge("u", Seats(2, "x", "m", START + 9), ""),
        )
        pace, quota = Charge("p", Pace(1, 1.0, 5), ""), Charge("q", Quota(9, "m", START + 9), "")
        await server.restore("s", "s", (START + 5) * MICRO, "c1")
        await server.restore("u", "u", (START + 9) * 1000, "a", "b")
        await server.restore("p", "p", (START + 3) * MICRO)
        await server.restore("p", "p", (START + 2) * MICRO)
        await server.restore("q", "q", 4, (START + 9) * 1000)
        found = await server.look([slots, pace, quota])
        assert [left for left, _ in found] == [1, 2, 5]
        assert (await server.spend([seats]))[0] == 1
        wire.close()

    play(story)
