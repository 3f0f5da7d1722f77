"""Writes records for ever, 20 callers at once, and prints each id once it is acknowledged."""

import asyncio
import itertools
import sys
from pathlib import Path

from tests.torhaus.store.audit.ledgers import opened, record


async def main(directory: Path) -> None:
    numbers = itertools.count()
    async with opened(directory, segment_bytes=50_000) as ledger:

        async def caller() -> None:
            for number in numbers:
                await ledger.note(record(f"r{number}"))
                sys.stdout.write(f"r{number}\n")
                sys.stdout.flush()

        await asyncio.gather(*[caller() for _ in range(20)])


asyncio.run(main(Path(sys.argv[1])))
