import pytest

from torhaus.limits.words import UNCOUNTED, long, refusal, spoken
from torhaus.model.limits import Budget, Pace, Quota, Seats, Slots
from torhaus.model.ports import Charge, Shortage
from torhaus.model.servers import Window

BUDGETS: list[tuple[Budget, str]] = [
    (Window(100, 3600.0), "github: 100 calls per hour"),
    (Window(1, 90.0), "github: 1 call per 90 seconds"),
    (Pace(10, 1.0, 20), "github: 10 calls per second, 20 at once"),
    (Slots(4), "github: 4 calls at the same time"),
    (Quota(1000, "2026-11", 0.0), "github: 1000 calls per month"),
    (Seats(5, "u", "2026-11", 0.0), "github: 5 users per month"),
    (Seats(1, "u", "2026-11", 0.0), "github: 1 user per month"),
]


@pytest.mark.parametrize(("budget", "text"), BUDGETS)
def test_every_budget_has_words(budget: Budget, text: str) -> None:
    assert spoken("github", budget) == text


def said(budget: Budget, seconds: float) -> str:
    return refusal(Shortage(Charge("k", budget, spoken("github", budget)), seconds))


def test_at_the_limit_the_caller_reads_which_and_for_how_long() -> None:
    assert said(Window(100, 3600.0), 731.2) == (
        "The limit is used up (github: 100 calls per hour). "
        "Wait 732 seconds (about 12 minutes) before calling again; do not retry."
    )
    assert "Wait 1 second before" in said(Window(1, 1.0), 0.01)
    assert said(Slots(4), 1.0) == (
        "Too many calls at once (github: 4 calls at the same time). Wait 1 second, then call again."
    )
    assert "Ask an administrator" in said(Seats(5, "u", "2026-11", 0.0), 1e6)


def test_who_may_not_count_alone_speaks_of_no_limit() -> None:
    assert refusal(Shortage(Charge("k", Window(1, 1.0), UNCOUNTED), 1.0)) == (
        "No limit can be checked now: the shared counters cannot be reached, and calls are not "
        "allowed uncounted. Wait 1 second, then call again."
    )


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (5.0, "5 s"),
        (100.0, "about 2 minutes"),
        (732.0, "about 12 minutes"),
        (7200.0, "about 2 hours"),
        (200_000.0, "about 2 days"),
    ],
)
def test_long_waits_are_rounded_for_people(seconds: float, text: str) -> None:
    assert long(seconds) == text
