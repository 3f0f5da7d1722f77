import asyncio
import sys
import time
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest

from tests.torhaus.store.redis.valkeys import (
    HOST,
    Valkey,
    alone,
    free_port,
    gateways,
    play,
    said,
    until,
)
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.ports import Charge, Counters, Remaining, Shortage
from torhaus.model.redis import OnUnavailable, RedisSettings
from torhaus.model.servers import Window
from torhaus.store.redis.counters import RedisCounters
from torhaus.store.redis.shared import Shared

YEAR = 365 * 86400.0


def port(counters: RedisCounters) -> Counters:
    """Typed, so that a checker sees whether the class keeps the promises of the port."""
    return counters


def nowhere(**more: Any) -> RedisSettings:
    """Nobody answers there."""
    return RedisSettings(addresses=((HOST, free_port()),), **more)


def window(requests: int, seconds: float = 60.0, key: str = "w") -> Charge:
    return Charge(key, Window(requests, seconds), key)


def drawn(budget: Budget, key: str = "b", amount: int = 1) -> Charge:
    return Charge(key, budget, key, amount)


async def spent(shared: Shared, charges: Sequence[Charge], lease: str = "") -> bool:
    return await shared.counters.spend(charges, time.time(), lease) is None


def test_300_calls_at_once_from_4_processes_are_allowed_100_times(server: Valkey) -> None:
    async def story() -> None:
        settings = alone(server)
        words = [HOST, str(server.port), settings.namespace, "75", "100"]
        program = "tests.torhaus.store.redis.programs.spender"
        pipe = asyncio.subprocess.PIPE
        running = [
            await asyncio.create_subprocess_exec(
                sys.executable, "-m", program, *words, stdin=pipe, stdout=pipe
            )
            for _ in range(4)
        ]
        for each in running:
            assert each.stdout is not None
            while await each.stdout.readline() != b"ready\n":
                assert not each.stdout.at_eof()
        ended = await asyncio.gather(*(each.communicate(b"go\n") for each in running))

        allowed = [int(out.split()[-1]) for out, _ in ended]
        assert sum(allowed) == 100

    play(story)


def test_300_calls_at_once_through_one_gateway_are_allowed_100_times(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server)) as (one,):
            found = await asyncio.gather(*(spent(one, [window(100)]) for _ in range(300)))

            assert sum(found) == 100

    play(story)


def test_no_rolling_window_ever_holds_more_than_its_limit(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as pair:
            times: list[float] = []

            async def greedy(shared: Shared) -> None:
                while len(times) < 120:
                    if await spent(shared, [window(20, 0.25)]):
                        # The server's time of it, as the gateway remembers it.
                        (_, state) = shared.counters._own.held()[0]
                        times.append(state.uses[-1])

            await asyncio.gather(*(greedy(each) for each in pair for _ in range(8)))

            times.sort()
            recent: deque[float] = deque()
            for at in times:
                recent.append(at)
                while recent[0] <= at - 0.25 + 1e-6:
                    recent.popleft()
                assert len(recent) <= 20

    play(story)


def test_gateways_draw_on_the_same_budgets_of_every_kind(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as (one, other):
            ends = time.time() + 1000.0
            for budget in (Window(2, 60.0), Pace(1, 60.0, 2), Slots(2), Quota(2, "m", ends)):
                charges = [drawn(budget, type(budget).__name__)]
                found = [
                    await spent(each, charges, f"{at}")
                    for at, each in enumerate((one, other, one, other))
                ]
                assert found == [True, True, False, False]

            def seat(who: str) -> list[Charge]:
                return [drawn(Seats(2, who, "m", ends), "seats")]

            found = [
                await spent(each, seat(who))
                for each, who in ((one, "a"), (other, "b"), (one, "c"), (other, "a"))
            ]
            assert found == [True, True, False, True]

    play(story)


def test_all_charges_are_taken_or_none(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server)) as (one,):
            wide, tight = window(3, key="wide"), window(1, key="tight")
            slots, month = drawn(Slots(5), "s"), drawn(Quota(9, "m", time.time() + YEAR), "q")
            charges = [wide, slots, month, tight]
            assert await spent(one, charges, "c1")

            for at in range(3):
                shortage = await one.counters.spend(charges, time.time(), f"d{at}")
                assert shortage is not None
                assert shortage.charge is tight
                assert 30.0 < shortage.retry_after <= 60.0

            left = await one.counters.remaining(charges, time.time())
            assert [each.left for each in left] == [2, 4, 8, 0]

    play(story)


def test_one_budget_charged_twice_counts_twice(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server)) as (one,):
            month = drawn(Quota(5, "m", time.time() + YEAR), "q", 2)

            assert not await spent(one, [window(2), window(2), window(2)])
            assert await spent(one, [window(2), window(2)])
            assert not await spent(one, [window(2)])
            assert not await spent(one, [month, month, month])
            assert await spent(one, [month, month])

    play(story)


def test_a_slot_is_free_once_its_call_is_over(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server), 2) as (one, other):
            charges = [drawn(Slots(1))]
            assert await spent(one, charges, "c1")
            assert not await spent(other, charges, "c2")

            one.counters.release(charges, "c1")

            async def free() -> bool:
                return await spent(other, charges, "c2")

            await until(free)

    play(story)


def test_nothing_to_charge_asks_nobody() -> None:
    async def story() -> None:
        shared = Shared(nowhere())
        assert await shared.counters.spend([], 0.0) is None
        assert await shared.counters.remaining([], 0.0) == []
        assert shared.counters.alone == 0
        await shared.close()

    play(story)


@pytest.mark.parametrize(("gateways_", "allowed"), [(None, 10), (2, 5), (3, 3), (20, 1)])
def test_without_a_server_each_gateway_allows_its_share(
    gateways_: int | None, allowed: int
) -> None:
    async def story() -> None:
        shared = Shared(nowhere(gateways=gateways_))

        found = [await spent(shared, [window(10)]) for _ in range(15)]

        assert sum(found) == allowed
        assert shared.counters.alone == 15
        left = await shared.counters.remaining([window(10)], time.time())
        assert left[0].left == 0
        await shared.close()

    play(story)


def test_without_a_server_everything_can_be_denied() -> None:
    async def story() -> None:
        shared = Shared(nowhere(on_unavailable=OnUnavailable.DENY))

        shortage = await shared.counters.spend([window(10)], time.time())

        assert isinstance(shortage, Shortage)
        assert "cannot be reached" in shortage.charge.limit
        assert shortage.retry_after == 1.0
        await shared.close()

    play(story)


def test_what_was_used_while_the_server_was_away_is_counted_when_it_is_back(own: Valkey) -> None:
    async def story() -> None:
        month = drawn(Quota(20, "m", time.time() + YEAR), "q")
        seats = drawn(Seats(4, "a", "m", time.time() + YEAR), "u")
        charges = [window(20), month, seats, drawn(Slots(20), "s")]
        async with gateways(alone(own, gateways=2), 2) as (one, other):
            assert all([await spent(one, charges, f"a{n}") for n in range(3)])
            assert all([await spent(other, charges, f"b{n}") for n in range(3)])

            own.kill()
            away = [await spent(one, charges, f"c{n}") for n in range(12)]
            # Its share is 10, of which it had used 3.
            assert sum(away) == 7
            own.start()  # with nothing in it

            async def both_back() -> bool:
                return one.up and other.up

            await until(both_back)
            left = await other.counters.remaining(charges, time.time())
            assert left[0].left == 20 - 3 - 3 - 7
            assert left[1].left == 20 - 7  # sums that were lost are not known to anybody
            assert left[2].left == 4 - 1
            assert left[3].left == 20 - 3 - 3 - 7

    play(story)


def test_a_server_that_is_slow_delays_nobody_for_long(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own, timeout=1.0)) as (one,):
            assert await spent(one, [window(10)])
            own.pause()
            began = time.monotonic()
            assert await spent(one, [window(10)])
            assert time.monotonic() - began < 10.0
            assert one.counters.alone == 1
            own.resume()

    play(story)


def test_a_server_that_forgot_its_scripts_is_told_again(own: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(own)) as (one,):
            await said(own, "SCRIPT", "FLUSH")

            assert [await spent(one, [window(2)]) for _ in range(3)] == [True, True, False]
            assert one.counters.alone == 0

    play(story)


def test_long_keys_and_strange_names_are_budgets_of_their_own(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server)) as (one,):
            keys = ["x" * 1000, "x" * 1001, "ünï {a}", "a\nb", "\ud800", ""]

            for key in keys:
                assert await spent(one, [window(1, key=key)])
            for key in keys:
                assert not await spent(one, [window(1, key=key)])

    play(story)


def test_what_is_left_is_told_without_using_it(server: Valkey) -> None:
    async def story() -> None:
        async with gateways(alone(server)) as (one,):
            charges = [window(5), drawn(Pace(1, 10.0, 3), "p")]
            assert [each.left for each in await one.counters.remaining(charges, 0.0)] == [5, 3]
            await spent(one, charges)

            for _ in range(2):
                first, second = await one.counters.remaining(charges, time.time())
                assert first == Remaining(charges[0], 4, pytest.approx(60.0, abs=1.0))
                assert second == Remaining(charges[1], 2, pytest.approx(10.0, abs=1.0))

    play(story)
