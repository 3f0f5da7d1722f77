"""Exact sliding windows: every use is remembered until it is `seconds` old."""

from collections import deque

from torhaus.model.servers import Window

Uses = deque[float]  # Unix seconds, oldest first


def forget(uses: Uses, window: Window, now: float) -> None:
    """Drop the uses that no longer count. A use at t counts until just before t + seconds."""
    if uses and uses[-1] > now:
        _turn_back(uses, now)
    while uses and uses[0] + window.seconds <= now:
        uses.popleft()


def wait(uses: Uses, window: Window, now: float, more: int = 0) -> float:
    """Seconds until one more use fits, 0.0 when it fits now; `more` uses are about to be added.

    Call `forget` first. For a window that can never fit another use: its whole length.
    """
    over = len(uses) + more - window.requests
    if over < 0:
        return 0.0
    if over >= len(uses):
        return window.seconds
    return uses[over] + window.seconds - now


def _turn_back(uses: Uses, now: float) -> None:
    """The clock was set back: what lies ahead of it counts as used just now.

    Else a clock that was a year ahead for a second would close a used-up window for a year.
    """
    kept = [min(use, now) for use in uses]
    uses.clear()
    uses.extend(kept)
