"""A process that takes what it can get of twenty approvals: taking.py DATA_DIR URL."""

import asyncio
import sys
from pathlib import Path

from tests.torhaus.store.state.requests import NOW, wanted
from torhaus.store.state.database import Database
from torhaus.store.state.office import StateOffice


async def main(home: Path, url: str | None) -> None:
    database = Database(url, home)
    await database.open()
    office = StateOffice(database)

    async def take(number: int) -> None:
        async with office.write() as desk:
            own = wanted(digest=bytes([number]))
            won = await desk.approvals.take(f"a{number}", own, NOW)
        if won:
            print(f"a{number}")

    await asyncio.gather(*(take(number) for number in range(20) for _ in range(5)))
    await database.close()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2] or None))
