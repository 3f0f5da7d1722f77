"""Identical reads at the same time share one upstream call."""

import asyncio
from collections.abc import Awaitable, Callable

from torhaus.model.outcome import Answer
from torhaus.model.servers import Era


class Flight:
    """One upstream call and those who wait for it. It ends when nobody waits any more."""

    __slots__ = ("era", "task", "waiting")

    def __init__(self, task: "asyncio.Task[Answer]", era: Era) -> None:
        self.task = task
        self.era = era
        self.waiting = 0

    async def wait(self) -> Answer:
        self.waiting += 1
        try:
            return await asyncio.shield(self.task)
        finally:
            self.waiting -= 1
            if not self.waiting and not self.task.done():
                self.task.cancel()


class Flights:
    """Calls under way by cache key."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Flight] = {}

    def joined(self, key: bytes) -> Flight | None:
        return self._by_key.get(key)

    def start(self, key: bytes, era: Era, call: Callable[[], Awaitable[Answer]]) -> Flight:
        """A cancelled starter does not cancel the others: the call is its own task."""

        async def run() -> Answer:
            return await call()

        flight = Flight(asyncio.get_running_loop().create_task(run()), era)
        self._by_key[key] = flight
        flight.task.add_done_callback(lambda task: self._ended(key, task))
        return flight

    def _ended(self, key: bytes, task: "asyncio.Task[Answer]") -> None:
        self._by_key.pop(key, None)
        if not task.cancelled():
            task.exception()  # everyone who waited has it; nobody else must hear of it
