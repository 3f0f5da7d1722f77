"""How long the last calls to a server took, noted in a few dozen nanoseconds each."""

KEPT = 256
"""Calls, the newest first to be counted."""
WINDOW = 300.0
"""Seconds after which a call no longer counts."""
FEWEST = 20
"""Calls without which nothing can be said of the slowest twentieth."""


class Latencies:
    """Times of a monotonic clock, in seconds."""

    __slots__ = ("_ends", "_next", "_took")

    def __init__(self) -> None:
        self._ends = [float("-inf")] * KEPT
        self._took = [0.0] * KEPT
        self._next = 0

    def note(self, began: float, ended: float) -> None:
        place = self._next
        self._ends[place] = ended
        self._took[place] = ended - began
        self._next = (place + 1) % KEPT

    def p95(self, now: float) -> float | None:
        """95 of 100 calls took at most this long; None when there were too few lately."""
        since = now - WINDOW
        took = sorted(t for end, t in zip(self._ends, self._took, strict=True) if end >= since)
        return took[-(-len(took) * 95 // 100) - 1] if len(took) >= FEWEST else None
