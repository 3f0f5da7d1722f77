"""Turns of what is done again and again, while the database may fail."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

from torhaus.model.ports import LedgerError, StateError

log = structlog.get_logger()


class Turns:
    """Owned by one event loop. `every`: seconds between two turns that nobody asked for.

    `rest`: seconds after each turn in which none begins. `failed`: the event logged when database
    or audit log fail, once until they are well again; `bug`: the one for whatever else is raised,
    which ends nothing either.
    """

    def __init__(self, every: float, *, failed: str, bug: str, rest: float = 0.0) -> None:
        self._every = every
        self._rest = rest
        self._failed = failed
        self._bug = bug
        self._asked = asyncio.Event()

    def ask(self) -> None:
        """Take a turn now."""
        self._asked.set()

    @property
    def asked(self) -> bool:
        """Whether a turn is to come before its time."""
        return self._asked.is_set()

    async def run(self, turn: Callable[[int], Awaitable[None]]) -> None:
        """Until cancelled. `turn` is told how many have come by themselves.

        They come however often somebody asks.
        """
        clock = asyncio.get_running_loop().time
        number, well, due = 0, True, clock() + self._every
        while True:
            with suppress(TimeoutError):
                # Not wait_for: before Python 3.12 it loses a cancellation that comes with an event.
                async with asyncio.timeout(max(0.0, due - clock())):
                    await self._asked.wait()
            if clock() >= due:
                number, due = number + 1, clock() + self._every
            self._asked.clear()
            try:
                await turn(number)
            except (StateError, LedgerError) as error:
                if well:
                    log.error(self._failed, reason=str(error))
                well = False
            except Exception:  # the last line: a bug must not end the turns
                log.exception(self._bug)
            else:
                well = True
            # Even none: a turn that asks for the next and waits for nothing must let others go on.
            await asyncio.sleep(self._rest)
