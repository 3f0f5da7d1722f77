"""How late a sink is, and whether people should hear of it. Pure."""

from collections.abc import Iterable
from datetime import datetime

from torhaus.model.shipping import SinkState

LATE = 300.0
"""Seconds behind that are worth a word."""


def seconds(state: SinkState, now: float) -> float:
    """Since the oldest record that is not delivered; 0 when all are. `now`: Unix seconds."""
    if not state.oldest:
        return 0.0
    try:
        return max(0.0, now - datetime.fromisoformat(state.oldest).timestamp())
    except ValueError:
        return 0.0


def trouble(state: SinkState, now: float) -> str:
    """What is wrong in a few words, without what the receiver said; empty when all is well."""
    late = seconds(state, now)
    behind = f", {state.behind} records behind" if state.behind else ""
    if state.state == "failing":
        return f"does not take records{behind}"
    return f"is {late / 60:.0f} min late{behind}" if late > LATE else ""


def troubles(states: Iterable[SinkState], now: float) -> dict[str, str]:
    """By sink; also those that are well."""
    return {each.name: trouble(each, now) for each in states}
