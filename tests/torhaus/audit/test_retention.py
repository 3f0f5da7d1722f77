from datetime import UTC, datetime

import pytest

from torhaus.audit.retention import End, Fate, Move, Stay, Wait, day_of, ended, fate, held
from torhaus.model.evidence import Held
from torhaus.model.keeping import After, Retention, Tier

DAY = 86400.0
FULL = Retention(hot=30 * DAY, warm=180 * DAY, cold=730 * DAY, after=After.DELETE)
OVER = ended("2025-10-20")


def at(days: float) -> float:
    """So many days after the end of the 20th of October."""
    return OVER + days * DAY


def judged(tier: Tier, days: float, retention: Retention = FULL, *holds: Held) -> Fate:
    return fate(("2025-10-20", "2025-10-20"), tier, retention, holds, at(days))


def hold(first: str, last: str) -> Held:
    return Held(hold="h1", first_day=first, last_day=last, by="dana@example.org", why="case 7")


def test_a_day_ends_at_midnight_in_greenwich() -> None:
    assert ended("2025-12-31") == datetime(2026, 1, 1, tzinfo=UTC).timestamp()
    assert day_of("2025-10-20T23:59:59.999Z") == "2025-10-20"


@pytest.mark.parametrize(
    ("tier", "days", "expected"),
    [
        (Tier.HOT, -0.5, Stay(at(30))),
        (Tier.HOT, 29.99, Stay(at(30))),
        (Tier.HOT, 30, Move(Tier.WARM)),
        (Tier.HOT, 200, Move(Tier.COLD)),
        (Tier.WARM, 30, Stay(at(180))),
        (Tier.WARM, 180, Move(Tier.COLD)),
        (Tier.COLD, 180, Stay(at(730))),
        (Tier.COLD, 729.99, Stay(at(730))),
        (Tier.COLD, 730, End("older than 730 days, as audit_logs.retention says")),
        (Tier.HOT, 731, End("older than 730 days, as audit_logs.retention says")),
        (Tier.ARCHIVE, 9999, Stay(None)),
    ],
)
def test_age_says_where_a_file_belongs(tier: Tier, days: float, expected: Fate) -> None:
    assert judged(tier, days) == expected


def test_nothing_moves_back_to_a_warmer_tier() -> None:
    assert judged(Tier.COLD, 1) == Stay(at(730))
    assert judged(Tier.WARM, 1) == Stay(at(180))


def test_tiers_that_are_not_given_are_skipped() -> None:
    retention = Retention(hot=30 * DAY, cold=365 * DAY, after=After.DELETE)

    assert judged(Tier.HOT, 31, retention) == Move(Tier.COLD)
    assert judged(Tier.WARM, 31, retention) == Move(Tier.COLD)


def test_without_an_end_records_stay_in_the_last_tier() -> None:
    retention = Retention(hot=30 * DAY, warm=180 * DAY)

    assert judged(Tier.HOT, 500, retention) == Move(Tier.WARM)
    assert judged(Tier.WARM, 500, retention) == Stay(None)
    assert judged(Tier.COLD, 500, retention) == Stay(None)
    assert judged(Tier.HOT, 500, Retention()) == Stay(None)


def test_what_is_over_can_be_archived() -> None:
    retention = Retention(hot=30 * DAY, after=After.ARCHIVE)

    assert judged(Tier.HOT, 30, retention) == Move(Tier.ARCHIVE)


@pytest.mark.parametrize("after", [After.DELETE, After.ARCHIVE])
@pytest.mark.parametrize(
    ("first", "last", "holds"),
    [
        ("2025-10-20", "2025-10-20", True),
        ("2025-01-01", "2025-12-31", True),
        ("2025-10-01", "2025-10-20", True),
        ("2025-10-20", "2025-11-01", True),
        ("2025-10-01", "2025-10-19", False),
        ("2025-10-21", "2025-11-01", False),
    ],
)
def test_a_hold_keeps_its_days_for_ever(after: After, first: str, last: str, holds: bool) -> None:
    retention = Retention(hot=30 * DAY, after=after)
    found = judged(Tier.HOT, 9999, retention, hold(first, last))

    assert (found == Wait("h1")) is holds


def test_a_hold_does_not_keep_files_from_moving_to_cheaper_places() -> None:
    assert judged(Tier.HOT, 31, FULL, hold("2025-10-20", "2025-10-20")) == Move(Tier.WARM)


def test_any_day_of_a_file_that_is_held_holds_it() -> None:
    holds = [hold("2025-10-22", "2025-10-22")]

    assert held(("2025-10-20", "2025-10-22"), holds) == holds[0]
    assert held(("2025-10-20", "2025-10-21"), holds) is None
