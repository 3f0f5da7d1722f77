"""Holds a server back while a reader downstream is slow, but never the other readers for long."""

import asyncio

from torhaus.model.ports import Notice, Sink
from torhaus.upstream.pipe import Pipe

PATIENCE = 5.0
"""Seconds for which one slow reader may stop a pipe that others use too."""


class Brake:
    """Pauses a pipe while any tap is held; after PATIENCE the slow taps lose notifications."""

    __slots__ = ("_held", "_patience", "_pipe", "_timer")

    def __init__(self, patience: float = PATIENCE) -> None:
        self._patience = patience
        self._pipe: Pipe | None = None
        self._held: set[Tap] = set()
        self._timer: asyncio.TimerHandle | None = None

    def attach(self, pipe: Pipe | None) -> None:
        self._pipe = pipe
        if self._held and pipe is not None:
            pipe.pause()

    def hold(self, tap: "Tap") -> None:
        if tap.deaf:
            return
        self._held.add(tap)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(self._patience, self._give_up)
            if self._pipe is not None:
                self._pipe.pause()

    def free(self, tap: "Tap") -> None:
        tap.deaf = False
        self._held.discard(tap)
        if not self._held and self._timer is not None:
            self._go()

    def _give_up(self) -> None:
        for tap in self._held:
            tap.deaf = True
        self._held.clear()
        self._go()

    def _go(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._pipe is not None:
            self._pipe.resume()


class Tap:
    """A sink with its own throttle. `deaf`: it was too slow, and only requests still reach it."""

    __slots__ = ("_brake", "_sink", "deaf")

    def __init__(self, sink: Sink, brake: Brake) -> None:
        self._sink = sink
        self._brake = brake
        self.deaf = False
        sink.throttle = self._throttle

    def notice(self, notice: Notice) -> None:
        if self.deaf and notice.id is None:
            return
        self._sink.notice(notice)

    def release(self) -> None:
        self._sink.throttle = None
        self._brake.free(self)

    def _throttle(self, hold: bool) -> None:  # noqa: FBT001 -- the port's own signature
        if hold:
            self._brake.hold(self)
        else:
            self._brake.free(self)
