"""Which gateways keep answers near, each by a lease.

A gateway may answer from its own memory only while its lease lasts; whoever forgets something
waits until every living lease has said so too, or has ended (C. Gray, D. Cheriton, "Leases",
1989). So no partition makes an answer outlive what a write has changed. The lease begins, here,
before the server is asked for it, and on the server after: clocks need not agree, only run alike.
"""

import asyncio
from secrets import token_hex
from typing import Any

from hiredis import ReplyError

from torhaus.store.redis.fleet import Fleet
from torhaus.store.redis.scripts import RENEW
from torhaus.store.redis.wire import Unreachable, Wire

LEASE = 2.0
RENEWED = LEASE / 4
FULL = 0.9
SPARE = 0.9
"""The part of a lease that is used: the rest is for clocks that run unequally."""


class Presence:
    """One gateway's lease. `others`: the gateways it saw last.

    `full`: the server has little memory left, so that answers must not take what counters need.
    """

    def __init__(self, namespace: str) -> None:
        self.name = token_hex(8)
        self.key = f"{{{namespace}}}:gateways".encode()
        self.others = 0
        self.full = False
        self._until = 0.0
        self._loop = asyncio.get_running_loop()

    def holds(self) -> bool:
        return self._loop.time() < self._until

    def gateways(self) -> int:
        """How many there are, this one among them."""
        return self.others + 1

    def lost(self) -> None:
        """Nobody can tell us anything: from now on we may be wrong."""
        self._until = 0.0

    async def begin(self, wire: Wire) -> None:
        """The first lease on a new connection. Raises Unreachable, ReplyError."""
        asked = self._loop.time()
        milliseconds = int(LEASE * 1000)
        living = await wire.call("EVALSHA", RENEW.digest, 1, self.key, self.name, milliseconds)
        self._renewed(asked, living)

    async def keep(self, fleet: Fleet) -> None:
        """Renew for ever."""
        while True:
            await asyncio.sleep(RENEWED)
            if not fleet.up:
                continue
            asked = self._loop.time()
            try:
                living = await fleet.run(RENEW, (self.key,), (self.name, int(LEASE * 1000)))
            except Unreachable:
                continue  # it ends by itself
            if fleet.up:
                self._renewed(asked, living)
                await self._measure(fleet)

    async def _measure(self, fleet: Fleet) -> None:
        try:
            said = await fleet.ask(self.key, "INFO", "memory")
        except (Unreachable, ReplyError):
            return  # a user without the right to ask is no reason to keep nothing
        self.full = nearly_full(said if isinstance(said, bytes) else str(said).encode())

    async def end(self, fleet: Fleet) -> None:
        """Nobody need wait for this gateway any more."""
        self.lost()
        if not fleet.up:
            return
        try:
            await fleet.run(RENEW, (self.key,), (self.name, 0))
        except Unreachable:
            return  # it ends by itself

    def _renewed(self, asked: float, living: list[Any]) -> None:
        self._until = asked + LEASE * SPARE
        self.others = len(living)


def nearly_full(info: bytes) -> bool:
    """Whether the memory a server may use is used up, all but a tenth."""
    lines = (line.partition(b":") for line in info.splitlines())
    said = {name: value for name, _, value in lines if value.isdigit()}
    most, used = int(said.get(b"maxmemory", 0)), int(said.get(b"used_memory", 0))
    return most > 0 and used > most * FULL
