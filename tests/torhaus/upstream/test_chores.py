"""Work in the background never outlives its owner."""

import asyncio

from tests.torhaus.upstream.pipes import run
from torhaus.upstream.chores import Chores


def test_finish_waits_for_what_runs():
    async def story():
        chores, done = Chores(), []

        async def work():
            await asyncio.sleep(0.02)
            done.append(1)

        chores.start(work())
        assert len(chores) == 1
        await chores.finish(1.0)

        assert (done, len(chores)) == ([1], 0)

    run(story())


def test_finish_ends_what_takes_too_long():
    async def story():
        chores = Chores()
        chores.start(asyncio.sleep(60))
        await chores.finish(0.01)

        assert len(chores) == 0

    run(story())


def test_a_failure_is_nobody_elses():
    async def story():
        chores = Chores()

        async def fail():
            raise ValueError("no")

        chores.start(fail())
        await chores.finish(1.0)

        assert len(chores) == 0

    run(story())
