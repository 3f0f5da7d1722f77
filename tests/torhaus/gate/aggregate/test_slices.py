import asyncio
import time

from tests.torhaus.cast import run
from torhaus.gate.aggregate.slices import SLICE, Slices, Steps, whole


def slow(steps: int, made: str = "made") -> Steps[str]:
    for _ in range(steps):
        end = time.perf_counter() + SLICE
        while time.perf_counter() < end:
            pass
        yield
    return made


def test_whole_work_returns_what_it_has_made() -> None:
    assert whole(slow(3)) == "made"


def test_short_work_needs_no_turn_of_the_loop() -> None:
    def short() -> Steps[int]:
        yield
        return 7

    async def story() -> None:
        turns: list[None] = []
        asyncio.get_running_loop().call_soon(turns.append, None)
        assert await Slices().run(short()) == 7
        assert turns == []

    run(story())


def test_everybody_else_has_a_turn_after_each_slice_of_however_much_work() -> None:
    async def story() -> None:
        slices, turns = Slices(), 0
        work = [asyncio.ensure_future(slices.run(slow(10, str(n)))) for n in range(5)]
        while not all(each.done() for each in work):
            turns += 1
            await asyncio.sleep(0)
        assert [await each for each in work] == ["0", "1", "2", "3", "4"]
        assert turns >= 50  # one slice in each, and not one of each work

    run(story())


def test_cancelled_work_leaves_the_turn_to_others() -> None:
    async def story() -> None:
        slices = Slices()
        first = asyncio.ensure_future(slices.run(slow(1000)))
        await asyncio.sleep(0)
        first.cancel()
        assert await slices.run(slow(2)) == "made"
        assert first.cancelled()

    run(story())


def test_work_that_breaks_says_so() -> None:
    def breaks() -> Steps[None]:
        yield
        raise KeyError("x")

    async def story() -> None:
        slices = Slices()
        answers = await asyncio.gather(slices.run(breaks()), return_exceptions=True)
        assert isinstance(answers[0], KeyError)
        assert await slices.run(slow(1)) == "made"

    run(story())
