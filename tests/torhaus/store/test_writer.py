import asyncio
import time
from pathlib import Path

import pytest

from tests.torhaus.store.ledgers import opened, record, sealed, until, written
from torhaus.model.ports import LedgerError
from torhaus.store.segments import segments
from torhaus.store.writer import Entry, LedgerSettings, Writer


def test_a_full_segment_is_sealed(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, segment_bytes=1000) as ledger:
            for i in range(10):
                await ledger.note(record(f"r{i}"))

            await until(lambda: all(sealed(path) for path in segments(tmp_path)[:-1]))
            assert 3 <= len(segments(tmp_path)) <= 5
            assert written(tmp_path) == [f"r{i}" for i in range(10)]

    asyncio.run(story())


def test_an_old_segment_is_sealed_though_nothing_comes(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, segment_seconds=0.05) as ledger:
            await ledger.note(record("r1"))
            await until(lambda: sealed(segments(tmp_path)[0]))
            await ledger.note(record("r2"))

            assert len(segments(tmp_path)) == 2
            assert written(tmp_path) == ["r1", "r2"]

    asyncio.run(story())


def test_nobody_waits_for_a_disk_that_hangs(tmp_path: Path):
    async def story() -> None:
        loop = asyncio.get_running_loop()
        writer = Writer(tmp_path, LedgerSettings(), loop)  # its thread never comes
        waiter = loop.create_future()
        writer.queue.put(Entry(record("r1"), waiter, 1))
        writer.stop()

        writer.abandon()

        with pytest.raises(LedgerError, match="before the record was on disk"):
            await waiter

    asyncio.run(story())


def test_a_write_that_takes_too_long_is_unhealthy(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, stall=10.0) as ledger:
            ledger._writer.busy = time.monotonic() - 9
            assert ledger.healthy()
            ledger._writer.busy = time.monotonic() - 11
            assert not ledger.healthy()

    asyncio.run(story())
