"""Leaves a server alone for a while after it could not be started."""

from collections.abc import Callable

import msgspec

FIRST = 0.5
LONGEST = 30.0
FORGET = 60.0
"""Seconds after which an old failure no longer counts."""


class _Failure(msgspec.Struct):
    reason: str
    times: int
    until: float


class Backoff:
    """0.5 seconds after the first failure, doubling to 30.

    Kept per key (the principal), so that nobody can lock out others by failing. `latest`: why the
    last start failed, if it did.
    """

    __slots__ = ("_clock", "_failures", "latest")

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._failures: dict[str, _Failure] = {}
        self.latest: str | None = None

    def failed(self, key: str, reason: str) -> None:
        self.latest = reason
        now = self._clock()
        self._prune(now)
        known = self._failures.get(key)
        times = 1 if known is None else known.times + 1
        wait = min(LONGEST, FIRST * 2 ** min(times - 1, 16))
        self._failures[key] = _Failure(reason, times, now + wait)

    def succeeded(self, key: str) -> None:
        self.latest = None
        self._failures.pop(key, None)

    def refusal(self, key: str) -> str | None:
        """Why and how long nothing is tried, or None when it may be."""
        known = self._failures.get(key)
        if known is None or (left := known.until - self._clock()) <= 0:
            return None
        return f"{known.reason} (the next attempt is possible in {left:.1f} s)"

    def _prune(self, now: float) -> None:
        for key in [k for k, f in self._failures.items() if f.until + FORGET < now]:
            del self._failures[key]
