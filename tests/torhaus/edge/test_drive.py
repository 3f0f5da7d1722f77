import asyncio
import gc
import weakref
from collections.abc import Coroutine
from typing import Any

import pytest

from tests.torhaus.edge.lanes import run
from torhaus.edge.drive import Drive


class Subject:
    """Anything a drive is about."""


class Ends:
    """How drives ended."""

    def __init__(self) -> None:
        self.came: list[Exception | None] = []

    def __call__(self, drive: Drive[Any], error: Exception | None) -> None:
        self.came.append(error)


def start(work: Coroutine[Any, Any, None], ends: Ends) -> Drive[Subject]:
    drive = Drive(Subject(), work, ends)
    drive.step()
    return drive


def test_what_never_waits_has_ended_when_its_start_returns() -> None:
    async def story() -> None:
        async def work() -> None:
            return

        ends = Ends()

        drive = start(work(), ends)

        assert drive.done
        assert ends.came == [None]

    run(story())


def test_it_waits_for_futures_tasks_and_bare_turns_of_the_loop() -> None:
    async def story() -> None:
        steps: list[str] = []
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        async def child() -> str:
            await asyncio.sleep(0)
            return "task"

        async def work() -> None:
            steps.append(await future)
            await asyncio.sleep(0)
            steps.append(await asyncio.create_task(child()))
            await asyncio.sleep(0.001)
            steps.append("end")

        ends = Ends()
        start(work(), ends)
        assert steps == []
        future.set_result("future")
        await asyncio.sleep(0.02)

        assert steps == ["future", "task", "end"]

    run(story())


def test_an_exception_is_handed_to_whoever_started_it() -> None:
    async def story() -> None:
        async def work() -> None:
            await asyncio.sleep(0)
            raise ValueError("no")

        ends = Ends()
        start(work(), ends)
        await asyncio.sleep(0.001)

        assert [str(each) for each in ends.came] == ["no"]

    run(story())


def test_the_failure_of_what_it_waits_for_arrives_inside() -> None:
    async def story() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        caught: list[str] = []

        async def work() -> None:
            try:
                await future
            except KeyError as error:
                caught.append(str(error))

        ends = Ends()
        start(work(), ends)
        future.set_exception(KeyError("x"))
        await asyncio.sleep(0)

        assert caught == ["'x'"]
        assert ends.came == [None]

    run(story())


def test_cancelling_raises_inside_at_the_wait() -> None:
    async def story() -> None:
        seen: list[str] = []

        async def work() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                seen.append("cancelled")
                raise

        ends = Ends()
        drive = start(work(), ends)
        drive.cancel()
        await asyncio.sleep(0)

        assert seen == ["cancelled"]
        assert ends.came == [None]
        drive.cancel()

    run(story())


def test_cancelling_wins_over_a_result_that_has_not_arrived_yet() -> None:
    async def story() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        reached: list[str] = []

        async def work() -> None:
            await future
            reached.append("behind the wait")

        ends = Ends()
        drive = start(work(), ends)
        future.set_result(None)
        drive.cancel()
        await asyncio.sleep(0)

        assert reached == []
        assert drive.done

    run(story())


@pytest.mark.parametrize("bare", [True, False])
def test_cancelling_from_inside_takes_hold_at_the_next_wait(bare: bool) -> None:
    async def story() -> None:
        drives: list[Drive[Subject]] = []
        reached: list[str] = []

        async def work() -> None:
            await asyncio.sleep(0)
            drives[0].cancel()
            if bare:
                await asyncio.sleep(0)
            else:
                await asyncio.get_running_loop().create_future()
            reached.append("behind the wait")

        ends = Ends()
        drives.append(start(work(), ends))
        for _ in range(5):
            await asyncio.sleep(0)

        assert reached == []
        assert ends.came == [None]

    run(story())


def test_what_was_caught_inside_is_over() -> None:
    async def story() -> None:
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        got: list[str] = []

        async def work() -> None:
            try:
                await asyncio.get_running_loop().create_future()
            except asyncio.CancelledError:
                got.append(await future)

        ends = Ends()
        drive = start(work(), ends)
        drive.cancel()
        await asyncio.sleep(0)
        future.set_result("and goes on")
        await asyncio.sleep(0)

        assert got == ["and goes on"]
        assert drive.done

    run(story())


def test_a_drive_lets_go_of_its_subject_when_it_ends() -> None:
    """Its subject holds `drive.cancel`, and the collector does not see every word between."""

    async def story() -> None:
        async def work() -> None:
            await asyncio.sleep(0)

        drive = start(work(), Ends())
        subject = weakref.ref(drive.subject)
        await asyncio.sleep(0.001)
        gc.disable()
        try:
            assert subject() is None
        finally:
            gc.enable()

    run(story())
