import asyncio
import os
from pathlib import Path

import msgspec
import pytest

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import (
    filled,
    made,
    no_file_over,
    opened,
    proof,
    record,
    sealed,
    until,
    whole_lines,
    written,
)
from torhaus.model.evidence import Sealed
from torhaus.model.ports import LedgerError
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.recover import recover
from torhaus.store.audit.segments import segments


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


def test_callers_hear_of_a_failure_and_the_ledger_gets_well_by_itself(tmp_path: Path):
    directory, away = tmp_path / "hot", tmp_path / "away"

    async def story() -> None:
        # Every write begins a new segment, which a missing directory makes fail.
        async with opened(directory, segment_bytes=1, retry=0.01) as ledger:
            await ledger.note(record("r0"))
            directory.rename(away)
            waiters = [ledger.note(record(f"lost{i}")) for i in range(3)]
            results = await asyncio.gather(*waiters, return_exceptions=True)

            assert [type(result) for result in results] == [LedgerError] * 3
            assert not ledger.healthy()
            with pytest.raises(LedgerError, match="cannot be written: No such file") as told:
                ledger.note(record("lost"))
            assert str(tmp_path) not in str(told.value)

            away.rename(directory)
            await until(ledger.healthy)
            await ledger.note(record("r1"))

            assert written(directory) == ["r0", "r1"]

    asyncio.run(story())


def test_those_behind_a_write_that_fails_hear_of_it_too(tmp_path: Path):
    directory, away = tmp_path / "hot", tmp_path / "away"

    async def story() -> None:
        async with opened(directory, segment_bytes=1, retry=3600) as ledger:
            await ledger.note(record("r0"))
            directory.rename(away)
            first = ledger.note(record("with the writer"))
            ledger._leave()
            second = ledger.note(record("behind it"))
            async with asyncio.timeout(60):
                results = await asyncio.gather(first, second, return_exceptions=True)

            assert [type(result) for result in results] == [LedgerError] * 2

    asyncio.run(story())


def test_async_records_survive_a_failure_and_awaited_ones_do_not(tmp_path: Path):
    directory, away = tmp_path / "hot", tmp_path / "away"

    async def story() -> None:
        settings = {"durability": "async", "flush": 3600.0, "queue_records": 3}
        async with opened(directory, segment_bytes=1, retry=0.01, **settings) as ledger:
            directory.rename(away)
            # The first batch is written into the segment that is open; the second fails.
            good, waiter = filled(ledger, "a")
            await waiter
            kept, waiter = filled(ledger, "b")
            with pytest.raises(LedgerError):
                await waiter
            assert not ledger.healthy()

            away.rename(directory)
            await until(ledger.healthy)

            assert written(directory) == good + kept[:-1]

    asyncio.run(story())


def test_records_that_come_while_a_write_fails_are_written_after_those_before(tmp_path: Path):
    directory, away = tmp_path / "hot", tmp_path / "away"

    async def story() -> None:
        async with opened(
            directory, durability="async", flush=0.001, segment_bytes=1, retry=0.01
        ) as ledger:
            ledger.note(record("r0"))
            await until(lambda: written(directory) == ["r0"])
            directory.rename(away)
            ledger.note(record("r1"))
            ledger._leave()
            ledger.note(record("r2"))
            await until(lambda: not ledger.healthy())

            away.rename(directory)
            await until(ledger.healthy)

            assert written(directory) == ["r0", "r1", "r2"]

    asyncio.run(story())


def test_closing_a_broken_ledger_says_that_records_are_lost(tmp_path: Path):
    directory, away = tmp_path / "hot", tmp_path / "away"

    async def story() -> None:
        async with opened(
            directory, durability="async", flush=0.001, segment_bytes=1, retry=3600
        ) as ledger:
            ledger.note(record("r0"))
            await until(lambda: written(directory) == ["r0"])
            directory.rename(away)
            ledger.note(record("r1"))
            await until(lambda: not ledger.healthy())

            assert not await ledger.close()

        assert written(away) == ["r0"]

    asyncio.run(story())


def test_closing_a_broken_ledger_tries_once_more(tmp_path: Path):
    directory, away = tmp_path / "hot", tmp_path / "away"

    async def story() -> None:
        async with opened(
            directory, durability="async", flush=0.001, segment_bytes=1, retry=3600
        ) as ledger:
            ledger.note(record("r0"))
            await until(lambda: written(directory) == ["r0"])
            directory.rename(away)
            ledger.note(record("r1"))
            ledger.note(record("r2"))
            await until(lambda: not ledger.healthy())
            away.rename(directory)

            assert await ledger.close()

        assert written(directory) == ["r0", "r1", "r2"]

    asyncio.run(story())


def test_a_write_that_fails_while_closing_is_tried_once_more(tmp_path: Path):
    async def story() -> None:
        ledger = made(tmp_path, durability="async", flush=0.001)
        ledger.start()
        for i in range(40):
            ledger.note(record(f"r{i}"))
        await until(lambda: whole_lines(tmp_path) == 40)
        for i in range(40, 60):
            ledger.note(record(f"r{i}"))

        with no_file_over(20_000):
            assert await ledger.close()

        assert written(tmp_path) == [f"r{i}" for i in range(60)]
        assert len(segments(tmp_path)) == 2

    asyncio.run(story())


def dead(ledger: SegmentLedger) -> Path:
    """The segment that is open takes nothing any more, as on a disk that is gone.

    Neither can what a write has left behind be taken back.
    """
    segment = ledger._writer._segment
    assert segment is not None
    reader = os.open(segment.path, os.O_RDONLY)
    os.dup2(reader, segment._segment._fd, inheritable=False)
    os.close(reader)
    return segment.path


def test_a_segment_that_cannot_be_cut_is_left_behind_and_the_next_one_begun(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path / "hot", retry=0.01) as ledger:
            await ledger.note(record("r1"))
            old = dead(ledger)
            with pytest.raises(LedgerError, match="Bad file descriptor"):
                await ledger.note(record("lost"))
            with old.open("ab") as file:  # what of the batch that failed came to the disk
                file.write(msgspec.json.encode(record("lost")) + b"\n" + b'{"timest')

            await until(ledger.healthy)
            await ledger.note(record("r2"))

            assert len(segments(tmp_path / "hot")) == 2

    asyncio.run(story())
    again = made(tmp_path / "hot")

    async def started() -> None:
        again.start()
        await again.close()

    asyncio.run(started())
    assert written(tmp_path / "hot") == ["r1", "r2"]
    (left,) = (tmp_path / "hot").glob("*.torn")
    assert left.read_bytes().count(b'"lost"') == 1
    assert all(sealed(path) for path in segments(tmp_path / "hot"))


def test_async_records_that_failed_in_a_segment_left_behind_count_once(tmp_path: Path):
    hot = tmp_path / "hot"

    async def story() -> None:
        async with opened(hot, durability="async", flush=0.001, retry=0.01) as ledger:
            ledger.note(record("r1"))
            await until(lambda: written(hot) == ["r1"])
            old = dead(ledger)
            ledger.note(record("r2"))
            await until(lambda: not ledger.healthy())
            with old.open("ab") as file:
                file.write(msgspec.json.encode(record("r2")) + b"\n")
            await until(ledger.healthy)
        assert [each.proof for each in recovered(hot)] == ["recovered"]

    asyncio.run(story())
    assert written(hot) == ["r1", "r2"]


def recovered(hot: Path) -> list[Sealed]:
    return list(recover(hot, journal(proof(hot)), {}))
