"""A line to one server that is laid again whenever it breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from torhaus.store.redis.dial import Address
from torhaus.store.redis.wire import Unreachable, Wire

log = structlog.get_logger()

FIRST_PAUSE, LONGEST_PAUSE = 0.05, 0.25
SILENCE = 30.0
"""Seconds between two words in the log about one lost server."""


class Line:
    """At most one connection at a time. Whoever asks while there is none is told so at once.

    `find`: where the server is now. `lay`: opens a connection there. `opened` is awaited with
    each new connection before anybody else may use it. `lost` is called when one ends.
    """

    def __init__(
        self,
        find: Callable[[], Awaitable[Address]],
        lay: Callable[[Address, Callable[[Wire], None]], Awaitable[Wire]],
        opened: Callable[[Wire], Awaitable[None]],
        lost: Callable[[], None],
    ) -> None:
        self._find, self._lay = find, lay
        self._opened, self._lost = opened, lost
        self.wire: Wire | None = None
        self._silent_until = 0.0
        self._broken = asyncio.Event()
        self._first = asyncio.get_running_loop().create_future()
        self._keeping = asyncio.get_running_loop().create_task(self._keep())

    def ready(self) -> Wire:
        """The connection. Raises Unreachable."""
        if self.wire is None:
            raise Unreachable("there is no connection to the shared store")
        return self.wire

    async def first(self, seconds: float) -> bool:
        """Wait for the first connection, so long at most. Whether there is one."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await asyncio.shield(self._first)
        return self.wire is not None

    def distrust(self) -> None:
        """This is not the server it should be (a replica now, for one): look for it again."""
        if self.wire is not None:
            self.wire.close()

    async def close(self) -> None:
        self._keeping.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeping
        if self.wire is not None:
            self.wire.close()
        if not self._first.done():
            self._first.cancel()

    async def _keep(self) -> None:
        pause = FIRST_PAUSE
        while True:
            try:
                wire = await self._laid()
            except Exception as error:  # noqa: BLE001 -- whatever it says, we try again
                self._say(error)
                await asyncio.sleep(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
                continue
            pause, self._silent_until = FIRST_PAUSE, 0.0
            self.wire = wire
            if not wire.open:  # it ended while it was being set up
                self._break(wire)
            if not self._first.done():
                self._first.set_result(None)
            await self._broken.wait()

    def _say(self, error: Exception) -> None:
        """Say why there is no connection: at once, and now and then while that lasts."""
        now = asyncio.get_running_loop().time()
        if now < self._silent_until:
            return
        self._silent_until = now + SILENCE
        known = isinstance(error, Unreachable)
        log.warning("redis.unreachable", reason=str(error), exc_info=not known)

    async def _laid(self) -> Wire:
        self._broken.clear()
        wire = await self._lay(await self._find(), self._break)
        try:
            await self._opened(wire)
        except BaseException:
            wire.close()
            raise
        return wire

    def _break(self, wire: Wire) -> None:
        if self.wire is wire:
            self.wire = None
            self._lost()
        self._broken.set()
