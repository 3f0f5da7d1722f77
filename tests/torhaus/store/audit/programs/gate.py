"""Writes as a gateway does until it is told to stop, and prints each id once acknowledged."""

import asyncio
import itertools
import os
import signal
import sys
from pathlib import Path

import structlog

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import record
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.writer import LedgerSettings

structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))


async def main(data: Path) -> None:
    numbers = itertools.count()
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    settings = LedgerSettings(segment_bytes=30_000, checkpoint_records=20)
    ledger = SegmentLedger(data / "audit" / "hot", journal(data), settings)
    ledger.start()

    async def caller() -> None:
        for number in numbers:
            if stop.is_set():
                return
            id = f"r{os.getpid()}-{number}"
            waiter = ledger.note(record(id))
            assert waiter is not None
            await waiter
            sys.stdout.write(id + "\n")
            sys.stdout.flush()

    await asyncio.gather(*[caller() for _ in range(5)])
    await ledger.close()


asyncio.run(main(Path(sys.argv[1])))
