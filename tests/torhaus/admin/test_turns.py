"""Turns come by themselves and when asked for, and nothing that fails ends them."""

import asyncio

from structlog.testing import capture_logs

from tests.torhaus.cast import run
from torhaus.admin.turns import Turns
from torhaus.model.ports import LedgerError, StateError


def turns(every: float) -> Turns:
    return Turns(every, failed="it.failed", bug="it.broke")


def test_a_turn_that_is_asked_for_comes_at_once_and_is_no_round() -> None:
    async def story() -> None:
        numbers: asyncio.Queue[int] = asyncio.Queue()
        made = turns(3600.0)
        made.ask()
        assert made.asked

        running = asyncio.create_task(made.run(numbers.put))
        first = await asyncio.wait_for(numbers.get(), 60)
        assert not made.asked
        running.cancel()

        assert first == 0

    run(story())


def test_turns_come_by_themselves_and_are_counted() -> None:
    async def story() -> None:
        numbers: asyncio.Queue[int] = asyncio.Queue()
        running = asyncio.create_task(turns(0.001).run(numbers.put))
        came = [await asyncio.wait_for(numbers.get(), 60) for _ in range(3)]
        running.cancel()

        assert came == [1, 2, 3]

    run(story())


def test_what_fails_is_told_once_until_it_is_well_and_ends_nothing() -> None:
    ends = [StateError("down"), LedgerError("still down"), None, StateError("again"), ValueError()]

    async def story() -> None:
        over = asyncio.Event()

        async def turn(_number: int) -> None:
            if not ends:
                over.set()
                return
            end = ends.pop(0)
            if end is not None:
                raise end

        running = asyncio.create_task(turns(0.001).run(turn))
        await asyncio.wait_for(over.wait(), 60)
        running.cancel()

    with capture_logs() as logs:
        run(story())

    assert [(each["event"], each.get("reason")) for each in logs] == [
        ("it.failed", "down"),
        ("it.failed", "again"),
        ("it.broke", None),
    ]


def test_whoever_is_asked_and_cancelled_at_once_ends() -> None:
    """Else who waits for its end waits for ever."""

    async def story() -> None:
        made, numbers = turns(3600.0), list[int]()

        async def turn(number: int) -> None:
            numbers.append(number)

        running = asyncio.create_task(made.run(turn))
        await asyncio.sleep(0)  # it waits
        made.ask()
        await asyncio.sleep(0)  # what it waits for has come, and it does not know yet
        running.cancel()
        await asyncio.wait([running], timeout=5.0)

        assert running.cancelled()

    run(story())


def test_turns_come_by_themselves_however_often_somebody_asks() -> None:
    async def story() -> None:
        made, numbers = turns(0.02), list[int]()

        async def turn(number: int) -> None:
            numbers.append(number)
            made.ask()

        running = asyncio.create_task(made.run(turn))
        for _ in range(500):
            await asyncio.sleep(0.01)
            if numbers and numbers[-1] >= 3:
                break
        running.cancel()

        assert numbers[-1] >= 3
        assert numbers == sorted(numbers)
        assert numbers.count(1) > 1

    run(story())


def test_after_a_turn_there_is_a_rest_and_what_was_asked_in_it_is_done_then() -> None:
    async def story() -> None:
        clock, began = asyncio.get_running_loop().time, list[float]()
        made = Turns(3600.0, failed="it.failed", bug="it.broke", rest=0.1)

        async def turn(_number: int) -> None:
            began.append(clock())

        running = asyncio.create_task(made.run(turn))
        made.ask()
        for _ in range(500):
            await asyncio.sleep(0.01)
            made.ask()
            if len(began) == 3:
                break
        running.cancel()

        assert len(began) == 3
        assert began[2] - began[0] >= 0.2

    run(story())
