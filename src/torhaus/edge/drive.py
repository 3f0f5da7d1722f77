"""Runs a coroutine on the event loop without a task.

A task costs its creation, two turns of the loop and their bookkeeping; most calls wait once, and
refusals and cache hits never. A drive runs at once until the first wait and goes on from the
callback of what it waited for. The price: there is no current task inside, so `asyncio.timeout`,
`TaskGroup` and whatever else asks for one must run in a task of their own.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")
Work = Coroutine[Any, None, None]


class Drive(Generic[Subject]):
    """One coroutine under way. `subject`: what the work is about.

    `ended` is called once, with the drive and the exception that ended it, if any.
    """

    __slots__ = ("_cancelled", "_ended", "_waiting", "_work", "done", "subject")

    def __init__(
        self,
        subject: Subject,
        work: Work,
        ended: Callable[["Drive[Subject]", Exception | None], None],
    ) -> None:
        self.subject = subject
        self._work = work
        self._ended = ended
        self._waiting: asyncio.Future[Any] | None = None
        self._cancelled = False
        self.done = False

    def step(self, _ready: object = None) -> None:
        """Run until the next wait. The first call starts the coroutine."""
        self._waiting = None
        try:
            if self._cancelled:
                self._cancelled = False
                waiting = self._work.throw(asyncio.CancelledError())
            else:
                waiting = self._work.send(None)
        except (StopIteration, asyncio.CancelledError):
            self.done = True
            self._ended(self, None)
            del self.subject  # it holds `cancel`: no cycle may outlive the work
            return
        except Exception as error:  # noqa: BLE001 -- handed to whoever started it
            self.done = True
            self._ended(self, error)
            del self.subject
            return
        if waiting is None:  # a bare yield: `asyncio.sleep(0)`
            asyncio.get_running_loop().call_soon(self.step)
            return
        # What Task does with a future that was awaited (PEP 3156): claim it, then wait for it.
        waiting._asyncio_future_blocking = False  # noqa: SLF001 -- the protocol between both
        self._waiting = waiting
        waiting.add_done_callback(self.step)
        if self._cancelled and waiting.cancel():
            self._cancelled = False  # cancelled from within its own step

    def cancel(self) -> None:
        """Raise CancelledError inside, at its present wait. Does nothing once it has ended."""
        if self.done:
            return
        if self._waiting is None or not self._waiting.cancel():
            self._cancelled = True
