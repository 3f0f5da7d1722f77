"""Limits as people and models read them."""

from math import ceil

from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.ports import Shortage
from torhaus.model.servers import Window

UNCOUNTED = "the shared counters cannot be reached, and calls are not allowed uncounted"
"""What stands for the limit where nobody knows how much of it is left."""

_SPANS = {1.0: "second", 60.0: "minute", 3600.0: "hour", 86400.0: "day"}


def spoken(name: str, budget: Budget) -> str:
    """`github: 100 calls per hour`."""
    match budget:
        case Window(requests, seconds):
            return f"{name}: {_calls(requests)} per {_span(seconds)}"
        case Pace(requests, seconds, burst):
            return f"{name}: {_calls(requests)} per {_span(seconds)}, {burst} at once"
        case Slots(calls):
            return f"{name}: {_calls(calls)} at the same time"
        case Quota(amount):
            return f"{name}: {_calls(amount)} per month"
        case Seats(users):
            return f"{name}: {users} {'user' if users == 1 else 'users'} per month"


def refusal(shortage: Shortage) -> str:
    """What the caller is told at the limit: which one, and for how long to wait.

    Models read it: it says what to do, in seconds, and that doing it at once is of no use.
    """
    wait = max(1, ceil(shortage.retry_after))
    again = f"Wait {wait} {'second' if wait == 1 else 'seconds'}"
    if wait >= 120:
        again += f" ({long(wait)})"
    limit = shortage.charge.limit
    if limit == UNCOUNTED:
        return f"No limit can be checked now: {limit}. {again}, then call again."
    match shortage.charge.budget:
        case Slots():
            return f"Too many calls at once ({limit}). {again}, then call again."
        case Seats():
            return f"No seat is free ({limit}). Ask an administrator; calling again does not help."
        case _:
            return f"The limit is used up ({limit}). {again} before calling again; do not retry."


def long(seconds: float) -> str:
    """`about 12 minutes`, `about 3 hours`, `about 2 days`."""
    for size, unit in ((86400.0, "days"), (3600.0, "hours"), (60.0, "minutes")):
        if seconds >= 2 * size:
            return f"about {round(seconds / size)} {unit}"
    return f"about {round(seconds / 60.0)} minutes" if seconds >= 90 else f"{round(seconds)} s"


def _calls(number: int) -> str:
    return "1 call" if number == 1 else f"{number} calls"


def _span(seconds: float) -> str:
    return _SPANS.get(seconds, f"{seconds:g} seconds")
