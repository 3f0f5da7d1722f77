"""Evenly spread calls with a burst: the generic cell rate algorithm (ITU-T I.371, annex A)."""

from torhaus.model.limits import Pace


def wait(ahead: float, pace: Pace, now: float) -> float:
    """Seconds until one more call fits. `ahead`: the theoretical arrival time of the next one."""
    if pace.requests <= 0 or pace.burst <= 0:
        return pace.seconds
    if ahead <= now:
        return 0.0
    every = pace.seconds / pace.requests
    return max(0.0, min(ahead - now, pace.burst * every) - (pace.burst - 1) * every)


def use(ahead: float, pace: Pace, now: float) -> float:
    """The theoretical arrival time after one more call.

    Never further ahead than a full burst: the clock may have been set back, or the rule changed.
    """
    every = pace.seconds / pace.requests
    if ahead <= now:
        return now + every
    return min(ahead, now + pace.burst * every) + every


def left(ahead: float, pace: Pace, now: float) -> int:
    """How many calls fit at once."""
    if pace.requests <= 0 or pace.burst <= 0:
        return 0
    every = pace.seconds / pace.requests
    used = max(0.0, min(ahead - now, pace.burst * every)) / every
    # A millionth of a call: so that a sum of many steps is not one call short.
    return int(pace.burst - used + 1e-6)
