import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import (
    filled,
    hanging,
    made,
    opened,
    record,
    until,
    whole_lines,
    written,
)
from torhaus.model.ports import LedgerError
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.segments import segments
from torhaus.store.audit.writer import LedgerSettings

ROOT = Path(__file__).parents[4]


def program(name: str, directory: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", f"tests.torhaus.store.audit.programs.{name}", str(directory)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'src'}:{ROOT}"},
    )


def test_an_awaited_record_is_on_disk(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path) as ledger:
            waiter = ledger.note(record("r1"))
            assert waiter is not None
            await waiter

            assert written(tmp_path) == ["r1"]

    asyncio.run(story())


def test_many_callers_at_once_share_a_few_writes_in_order(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path) as ledger:
            waiters = [ledger.note(record(f"r{i}")) for i in range(5000)]
            await asyncio.gather(*[waiter for waiter in waiters if waiter is not None])

            assert written(tmp_path) == [f"r{i}" for i in range(5000)]

    asyncio.run(story())


def test_a_caller_that_hung_up_does_not_disturb_the_others(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path) as ledger:
            waiters = [asyncio.ensure_future(ledger.note(record(f"r{i}"))) for i in range(3)]
            waiters[1].cancel()
            async with asyncio.timeout(60):
                await waiters[0]
                await waiters[2]

            assert written(tmp_path) == ["r0", "r1", "r2"]
            assert ledger.healthy()

    asyncio.run(story())


def test_async_records_are_on_disk_after_the_flush_time(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, durability="async", flush=0.005) as ledger:
            assert ledger.note(record("r1")) is None
            assert ledger.note(record("r2")) is None

            await until(lambda: written(tmp_path) == ["r1", "r2"])

    asyncio.run(story())


def test_closing_writes_what_is_queued_without_waiting_for_the_flush_time(tmp_path: Path):
    async def story() -> None:
        ledger = made(tmp_path, durability="async", flush=3600)
        ledger.start()
        for i in range(10_000):
            assert ledger.note(record(f"r{i}")) is None

        assert await ledger.close()

        assert len(written(tmp_path)) == 10_000

    asyncio.run(story())


def test_a_batch_of_many_bytes_does_not_wait_for_the_flush_time(tmp_path: Path):
    large = msgspec.Raw(b'"' + b"x" * 600_000 + b'"')

    async def story() -> None:
        async with opened(tmp_path, durability="async", flush=3600) as ledger:
            assert ledger.note(record("r1", parameters=large)) is None
            assert ledger.note(record("r2", parameters=large)) is None

            await until(lambda: whole_lines(tmp_path) == 2)

    asyncio.run(story())


def test_a_full_queue_makes_async_callers_wait_and_ends_the_flush_time(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, durability="async", flush=3600, queue_records=3) as ledger:
            ids, waiter = filled(ledger, "r")
            await waiter

            assert written(tmp_path) == ids
            assert 4 <= len(ids) <= 5

    asyncio.run(story())


def test_a_queue_full_of_bytes_makes_async_callers_wait(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, durability="async", flush=3600, queue_bytes=700) as ledger:
            assert ledger.note(record("r1")) is None
            assert ledger.note(record("r2")) is None
            waiter = ledger.note(record("r3"))
            assert waiter is not None
            await waiter

            assert ledger.note(record("r4")) is None

    asyncio.run(story())


def test_a_queue_twice_full_turns_callers_away(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path, queue_bytes=1000) as ledger:
            waiters: list[Any] = []
            with pytest.raises(LedgerError, match="keep up"):
                # Far faster than any disk syncs.
                waiters.extend(ledger.note(record(f"r{i}")) for i in range(100_000))
            await asyncio.gather(*waiters)

            assert len(written(tmp_path)) == len(waiters) >= 4
            await ledger.note(record("again"))

    asyncio.run(story())


def test_a_closed_ledger_takes_nothing(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path) as ledger:
            waiter = ledger.note(record("r1"))
            assert await ledger.close()
            with pytest.raises(LedgerError, match="closed"):
                ledger.note(record("r2"))

            assert not ledger.healthy()
            assert waiter is not None
            await waiter
            assert await ledger.close()

        assert written(tmp_path) == ["r1"]

    asyncio.run(story())


def test_a_ledger_that_never_opened_takes_nothing(tmp_path: Path):
    ledger = made(tmp_path)

    assert not ledger.healthy()
    with pytest.raises(LedgerError, match="not open"):
        ledger.note(record("r1"))


def test_a_directory_that_cannot_be_made_is_an_error_at_the_start(tmp_path: Path):
    (tmp_path / "audit").write_text("a file")

    async def story() -> None:
        with pytest.raises(LedgerError, match="cannot be opened"):
            SegmentLedger(
                tmp_path / "audit" / "hot", journal(tmp_path / "other"), LedgerSettings()
            ).start()

    asyncio.run(story())


def test_an_unused_ledger_leaves_no_file(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path):
            assert len(segments(tmp_path)) == 1

    asyncio.run(story())

    assert list(tmp_path.iterdir()) == []


def test_a_write_that_takes_too_long_is_unhealthy(tmp_path: Path):
    async def story() -> None:
        ledger = made(tmp_path, stall=1.0)
        ledger.start()
        async with hanging(ledger):
            ledger.note(record("r1"))
            await asyncio.sleep(0)
            assert ledger.healthy()

            await until(lambda: not ledger.healthy())

            await ledger.close(timeout=0.01)

    asyncio.run(story())


def test_nobody_waits_for_a_disk_that_hangs(tmp_path: Path):
    async def story() -> None:
        ledger = made(tmp_path)
        ledger.start()
        async with hanging(ledger):
            waiters = [ledger.note(record("with the writer"))]
            await asyncio.sleep(0.01)
            waiters.append(ledger.note(record("behind it")))

            assert not await ledger.close(timeout=0.01)

            for waiter in waiters:
                assert waiter is not None
                with pytest.raises(LedgerError, match="before the record was on disk"):
                    await waiter

    asyncio.run(story())


def test_a_disk_that_fills_up_keeps_exactly_what_was_acknowledged(tmp_path: Path):
    running = program("full_disk", tmp_path)
    out, _ = running.communicate(timeout=120)

    assert running.returncode == 0
    acknowledged = out.split()
    assert len(acknowledged) > 200
    assert written(tmp_path) == acknowledged


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path):
    running = program("endless", tmp_path)
    assert running.stdout is not None
    acknowledged = [running.stdout.readline() for _ in range(2000)]
    running.send_signal(signal.SIGKILL)
    acknowledged += running.stdout.readlines()
    running.stdout.close()
    running.wait()

    async def again() -> None:
        async with opened(tmp_path) as ledger:
            await ledger.note(record("after"))

    asyncio.run(again())

    ids = {line.strip() for line in acknowledged if line.endswith("\n")}
    assert len(ids) >= 2000
    assert ids <= set(written(tmp_path))
    assert "after" in written(tmp_path)


def test_processes_share_a_directory(tmp_path: Path):
    async def story() -> None:
        async with opened(tmp_path) as one, opened(tmp_path) as two:
            await one.note(record("r1"))
            await two.note(record("r2"))

            assert len(segments(tmp_path)) == 2
            assert sorted(written(tmp_path)) == ["r1", "r2"]

    asyncio.run(story())
