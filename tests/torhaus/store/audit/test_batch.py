import asyncio

import pytest

from torhaus.model.ports import LedgerError
from torhaus.store.audit.batch import Batch


def test_the_lines_that_nobody_waits_for_can_be_kept_alone():
    async def story() -> None:
        batch = Batch(bytearray(b"one\ntwo\n"))
        assert batch.records == 2
        assert batch.not_awaited() == b"one\ntwo\n"

        for line in (b"three\n", b"four\n"):
            batch.wait(asyncio.get_running_loop().create_future())
            batch.lines += line

        assert batch.not_awaited() == b"one\ntwo\n"

    asyncio.run(story())


def test_an_end_reaches_everybody_but_those_who_hung_up():
    async def story() -> None:
        good, bad = Batch(), Batch()
        waiters = [asyncio.get_running_loop().create_future() for _ in range(4)]
        for batch, waiter in zip((good, good, bad, bad), waiters, strict=True):
            batch.wait(waiter)
        waiters[0].cancel()
        waiters[2].cancel()

        good.written()
        bad.failed("the disk is gone")

        assert await waiters[1] is None
        with pytest.raises(LedgerError, match="the disk is gone"):
            await waiters[3]

    asyncio.run(story())
