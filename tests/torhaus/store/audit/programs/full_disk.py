"""Writes until no file may grow, then on when they may again; prints what was acknowledged.

The limit on file sizes (RLIMIT_FSIZE) stands for a full disk: `write` takes a part of the data
first, and then fails. Python ignores SIGXFSZ, so it fails with EFBIG.
"""

import asyncio
import resource
import sys
from pathlib import Path

import structlog

from tests.torhaus.store.audit.ledgers import opened, record, until, written
from torhaus.model.ports import LedgerError

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


async def main(directory: Path) -> None:
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, most))
    good: list[str] = []
    async with opened(directory, retry=0.05) as ledger:
        try:
            for batch in range(1000):
                ids = [f"{batch}-{i}" for i in range(7)]
                await asyncio.gather(*[ledger.note(record(each)) for each in ids])
                good += ids
        except LedgerError:
            assert written(directory) == good
        # Each new segment has room again, as after old ones were moved away.
        for batch in range(3):
            await until(ledger.healthy)
            await ledger.note(record(f"late{batch}"))
            good.append(f"late{batch}")
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, most))
        try:
            await ledger.note(record("never"))
        except LedgerError:
            assert not ledger.healthy()
        await asyncio.sleep(0.2)
        assert not ledger.healthy(), "a segment that takes no block is not good enough"
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        await until(ledger.healthy)
        await ledger.note(record("last"))
        good.append("last")
    sys.stdout.write("\n".join(good))


asyncio.run(main(Path(sys.argv[1])))
