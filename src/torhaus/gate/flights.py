"""Identical reads at the same time share one upstream call."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Notice, Sink, Stamp
from torhaus.model.session import Session
from torhaus.model.sinks import Before


class Overheard(Before):
    """Passes everything on to `sink`. `asked`: the server has asked its caller something.

    An answer that came about so belongs to that caller and to nobody else. `left`: he is gone.
    """

    __slots__ = ("asked", "left")

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.asked = self.left = False

    def notice(self, notice: Notice) -> None:
        if notice.method is not None and notice.id is not None and notice.method != "ping":
            self.asked = True
        self._sink.notice(notice)


class Flight:
    """One upstream call and those who wait for it. It ends when nobody waits any more.

    `stamp`: where the cache stood before it began.
    """

    __slots__ = ("_leave", "_sink", "ask", "stamp", "task", "waiting")

    def __init__(
        self,
        ask: Ask,
        sink: Overheard,
        task: "asyncio.Task[Answer]",
        leave: Callable[["Flight"], None],
        stamp: Stamp,
    ) -> None:
        self.ask = ask
        self.stamp = stamp
        self.task = task
        self.waiting = 0
        self._sink = sink
        self._leave = leave

    @property
    def asked(self) -> bool:
        """Whether the server asked its first caller something."""
        return self._sink.asked

    async def wait(self) -> Answer | None:
        """The answer; None when the call was cancelled although we wait for it.

        Raises whatever the call raised.
        """
        # Not `shield`: it cannot tell our own cancellation from that of the call.
        ended = asyncio.get_running_loop().create_future()
        wake = partial(_wake, ended)
        self.task.add_done_callback(wake)
        self.waiting += 1
        try:
            await ended
        finally:
            self.task.remove_done_callback(wake)
            self.waiting -= 1
            if not self.waiting:
                self._cancel()
        return None if self.task.cancelled() else self.task.result()

    async def lead(self) -> Answer:
        """The wait of whoever started it: only they can answer what the server asks."""
        try:
            answer = await self.wait()
        except asyncio.CancelledError:
            self._sink.left = True
            if self.asked:
                self._cancel()
            raise
        if answer is None:
            raise asyncio.CancelledError
        return answer

    def unattended(self) -> None:
        """Let it come to its end although nobody waits for it."""
        self.waiting += 1
        self._sink.left = True

    def _cancel(self) -> None:
        if not self.task.done():
            self._leave(self)  # it takes a while to end: nobody may join it now
            self.task.cancel()


def _wake(ended: "asyncio.Future[None]", task: "asyncio.Task[Answer]") -> None:  # noqa: ARG001 -- a done callback
    if not ended.done():
        ended.set_result(None)


class Flights:
    """Calls under way by cache key."""

    def __init__(self) -> None:
        self._by_key: dict[bytes, Flight] = {}

    def joined(self, key: bytes) -> Flight | None:
        return self._by_key.get(key)

    def start(
        self,
        key: bytes,
        ask: Ask,
        sink: Sink,
        call: Callable[[Overheard], Awaitable[Answer]],
        stamp: Stamp,
    ) -> Flight:
        """A cancelled starter does not cancel the others: the call is its own task."""
        overheard = Overheard(sink)

        async def run() -> Answer:
            return await call(overheard)

        def leave(flight: Flight) -> None:
            if self._by_key.get(key) is flight:
                del self._by_key[key]

        def ended(task: "asyncio.Task[Answer]") -> None:
            leave(flight)
            if not task.cancelled():
                task.exception()  # everyone who waited has it; nobody else must hear of it

        task = asyncio.get_running_loop().create_task(run())
        flight = self._by_key[key] = Flight(ask, overheard, task, leave, stamp)
        task.add_done_callback(ended)
        return flight

    def shared(self, session: Session, request_id: bytes) -> bool:
        """Whether others wait for the answer to this request."""
        return any(
            flight.waiting > 1 and flight.ask.session is session and flight.ask.id == request_id
            for flight in self._by_key.values()
        )
