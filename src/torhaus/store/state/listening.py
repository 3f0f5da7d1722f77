"""Hears what other gateways change in a PostgreSQL, the moment they have kept it."""

import asyncio
from collections.abc import Callable
from typing import Any

import msgspec
import structlog

from torhaus.model.ports import StateError
from torhaus.store.state.database import Database
from torhaus.store.state.revisions import CHANNEL, tell

log = structlog.get_logger()

EVERYTHING = ""
_ECHO = "echo "


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """Seconds. `check`: between two proofs that something is heard; `echo`: that one may take.

    `again`, `later`: until it is tried again, after the line was lost; where nothing is heard.
    """

    check: float = 15.0
    echo: float = 2.0
    again: float = 1.0
    later: float = 60.0


USUAL = Pace()


class Listening:
    """Owned by one event loop. `fresh`: ids that nobody else has.

    `hear`: called with what has changed, with `EVERYTHING` when that is not known.

    News are lost with the line, and some poolers of connections take LISTEN and pass nothing on, so
    that hearing is proved by an echo. Nobody may depend on it: it only makes haste, and all who
    hear look by themselves, too, again and again.
    """

    def __init__(
        self,
        database: Database,
        hear: Callable[[str], None],
        fresh: Callable[[], str],
        pace: Pace = USUAL,
    ) -> None:
        self.hears = False
        self._database = database
        self._hear = hear
        self._fresh = fresh
        self._pace = pace
        self._lost = asyncio.Event()
        self._awaited = ""
        self._echoed = asyncio.Event()
        self._told = False

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            wait = self._pace.again
            try:
                async with self._database.bare() as line:
                    wait = await self._listen(line)
            except StateError as error:
                # Whoever looks again and again says so, unless listening alone is refused.
                if self._database.trouble is None:
                    self._deaf(str(error))
                    wait = self._pace.later
            finally:
                self.hears = False
            await asyncio.sleep(wait)

    async def _listen(self, line: Any) -> float:
        """Until nothing is heard any more; after how many seconds to try again."""
        self._lost.clear()
        line.add_termination_listener(lambda _line: self._lost.set())
        await line.add_listener(CHANNEL, self._heard)
        if not await self._proved():
            self._deaf("its news do not come through, as behind some poolers of connections")
            return self._pace.later
        log.info("state.listening")
        self.hears, self._told = True, False
        self._hear(EVERYTHING)  # what was said before is not repeated
        while await self._proved():
            try:
                # Not wait_for: before Python 3.12 it loses a cancellation that comes with an event.
                async with asyncio.timeout(self._pace.check):
                    await self._lost.wait()
            except TimeoutError:
                continue
            break
        return self._pace.again

    async def _proved(self) -> bool:
        """Whether what is said on another line is heard on this one."""
        self._awaited = _ECHO + self._fresh()
        self._echoed.clear()
        try:
            async with self._database.read() as connection:
                await tell(connection, self._awaited)
            async with asyncio.timeout(self._pace.echo):
                await self._echoed.wait()
        except (StateError, TimeoutError):
            return False
        return True

    def _heard(self, _line: object, _process: int, _channel: str, what: str) -> None:
        if what == self._awaited:
            self._echoed.set()
        elif not what.startswith(_ECHO):
            self._hear(what)

    def _deaf(self, why: str) -> None:
        if not self._told:
            log.warning("state.deaf", reason=why)
        self._told = True
