"""How long something took, and how much of that was waiting for a processor.

Threads that are ready to run and do not, because other programs do, say so in `schedstat` (Linux,
Documentation/scheduler/sched-stats.rst). On a machine of one's own that is nothing.
"""

import math
import select
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.stories.caller import Line


@dataclass(frozen=True)
class Took:
    """Seconds by the clock; and those in which what was waited for stood in line itself."""

    wall: float
    waited: float

    @property
    def own(self) -> float:
        """What it would have been without other programs on this machine, at least."""
        return max(0.0, self.wall - self.waited)


class Stopwatch:
    """`pid`: of the gateway, which we ask.

    Of its threads the first one, which serves, and the one that waited longest count: others may
    have stood in line at the same time, so this is the least that can be said.
    """

    def __init__(self, pid: int) -> None:
        self._first, self._tasks = str(pid), Path(f"/proc/{pid}/task")

    def measure(self, act: Callable[[], object]) -> Took:
        before, ours = self._lines(), _waited(_own())
        began = time.perf_counter()
        act()
        wall = time.perf_counter() - began
        waited = {name: now - before.get(name, 0) for name, now in self._lines().items()}
        served = waited.pop(self._first, 0)
        whole = _waited(_own()) - ours + served + max(waited.values(), default=0)
        return Took(wall, min(wall, whole / 1e9))

    def _lines(self) -> dict[str, int]:
        return {each.name: _waited(each / "schedstat") for each in self._tasks.iterdir()}


def _own() -> Path:
    return Path(f"/proc/self/task/{threading.get_native_id()}/schedstat")


def _waited(path: Path) -> int:
    """Nanoseconds; 0 where the system does not count, or the thread has ended."""
    try:
        return int(path.read_text().split()[1])
    except (OSError, IndexError):
        return 0


class Endings(threading.Thread):
    """Hears when streams end that are open now. `ended`: by name, on the clock of `perf_counter`.

    Nobody else reads these lines meanwhile.
    """

    def __init__(self, lines: Mapping[str, Line]) -> None:
        super().__init__(daemon=True)
        self.ended: dict[str, float] = {}
        self._left = dict(lines)
        self._limit = math.inf
        self.start()

    def wait(self, patience: float) -> None:
        """Until all have ended, or for so many seconds from now."""
        self._limit = time.perf_counter() + patience
        self.join()

    def run(self) -> None:
        while self._left and time.perf_counter() < self._limit:
            sockets = {each.socket: name for name, each in self._left.items()}
            for heard in select.select(list(sockets), (), (), 0.1)[0]:
                if _over(heard.recv(65536)):
                    name = sockets[heard]
                    self.ended[name] = time.perf_counter()
                    del self._left[name]


def _over(data: bytes) -> bool:
    """Whether this is the end of a response in chunks, or of the connection."""
    return not data or data.endswith(b"0\r\n\r\n")
