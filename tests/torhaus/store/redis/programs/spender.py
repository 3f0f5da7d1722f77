"""One gateway of several: it waits for a line on its input, then spends all at once.

Arguments: host, port, namespace, calls, limit. Prints how many were allowed.
"""

import asyncio
import sys
import time

from torhaus.model.ports import Charge
from torhaus.model.redis import RedisSettings
from torhaus.model.servers import Window
from torhaus.store.redis.shared import Shared


async def main(host: str, port: int, namespace: str, calls: int, limit: int) -> None:
    shared = Shared(RedisSettings(addresses=((host, port),), namespace=namespace, timeout=30.0))
    assert await shared.first(60.0)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.readline)
    charges = [Charge("github u-alice", Window(limit, 3600.0), "github")]
    spends = (shared.counters.spend(charges, time.time(), f"{n}") for n in range(calls))
    found = await asyncio.gather(*spends)
    assert shared.counters.alone == 0
    await shared.close()
    print(sum(each is None for each in found), flush=True)


asyncio.run(main(sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5])))
