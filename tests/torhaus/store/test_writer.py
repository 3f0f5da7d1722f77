import asyncio
from pathlib import Path

from tests.torhaus.store.ledgers import opened, record, sealed, until, written
from torhaus.store.segments import segments


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
