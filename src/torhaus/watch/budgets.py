"""How much is left of the limits, looked at now and then for those who count and draw."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import structlog

from torhaus.model.limits import Scarcity

log = structlog.get_logger()

EVERY = 15.0
"""Seconds between two looks: as often as is usual to ask for metrics."""


class Budgets:
    """`left`: by the limit, as it was at the last look. `look` asks the counters."""

    def __init__(self, look: Callable[[], Awaitable[Mapping[str, Scarcity]]]) -> None:
        self._look = look
        self.left: Mapping[str, Scarcity] = {}

    async def run(self) -> None:
        """Look until cancelled. A look that fails leaves what was seen before."""
        while True:
            await asyncio.sleep(EVERY)
            await self.once()

    async def once(self) -> None:
        try:
            self.left = await self._look()
        except Exception:  # fails soft: these are numbers for a graph
            log.exception("budgets.failed")
