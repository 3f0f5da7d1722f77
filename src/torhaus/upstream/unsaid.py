"""Lists of a server that announces no changes: after a call that may have changed them, look again.

Such a server cannot be heard, only asked. What a listener knows of its lists counts as outdated
after such a call, as kept answers do; it is told so at once, and then only now and then.
"""

import asyncio
from collections.abc import Callable

PAUSE = 10.0
"""Seconds between two such notices to the same listener."""


class Unsaid:
    """Of one listener. Owned by one event loop. `tell`: says to him that a list has changed."""

    def __init__(self, tell: Callable[[str], None], pause: float = PAUSE) -> None:
        self._tell = tell
        self._pause = pause
        self._timer: asyncio.TimerHandle | None = None
        self._again: frozenset[str] = frozenset()

    def called(self, kinds: frozenset[str]) -> None:
        """A call has ended that may have changed lists of which the server says nothing.

        `kinds`: the notifications that it would have sent.
        """
        if self._timer is not None:
            self._again |= kinds
        elif kinds:
            self._say(kinds)

    def _say(self, kinds: frozenset[str]) -> None:
        self._again = frozenset()
        self._timer = asyncio.get_running_loop().call_later(self._pause, self._rested)
        for method in sorted(kinds):
            self._tell(method)

    def _rested(self) -> None:
        self._timer = None
        if self._again:
            self._say(self._again)

    def end(self) -> None:
        """He listens no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
