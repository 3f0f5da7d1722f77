from datetime import UTC, date, datetime
from math import inf
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.model.access import Hours
from torhaus.policy.hours import next_change, within

BERLIN = ZoneInfo("Europe/Berlin")
HOUR = 3600
WORK = frozenset(range(5))
OFFICE = Hours(zone=BERLIN, days=WORK, windows=((8 * HOUR, 18 * HOUR),))
NIGHT = Hours(zone=BERLIN, days=WORK, windows=((22 * HOUR, 6 * HOUR),))
LUNCH = Hours(zone=BERLIN, days=WORK, windows=((8 * HOUR, 12 * HOUR), (13 * HOUR, 18 * HOUR)))
SUNDAY = Hours(zone=BERLIN, days=frozenset({6}), windows=((0, 0),))
EARLY = Hours(zone=BERLIN, windows=((2 * HOUR, 3 * HOUR),))
SHIFT = Hours(zone=BERLIN, days=WORK, windows=((8 * HOUR, 8 * HOUR),))
ALWAYS = Hours(zone=BERLIN)
SUNDAY_EARLY = Hours(zone=BERLIN, days=frozenset({6}), windows=EARLY.windows)
LATE = Hours(zone=BERLIN, windows=((22 * HOUR, 24 * HOUR),))
ODD = Hours(zone=BERLIN, windows=((8 * HOUR + 1815, 9 * HOUR + 2759),))
CLOSED = frozenset({date(2026, 12, 25), date(2026, 12, 31)})
FEAST = Hours(zone=BERLIN, days=WORK, windows=OFFICE.windows, holidays=CLOSED)
FEAST_NIGHT = Hours(zone=BERLIN, windows=NIGHT.windows, holidays=CLOSED)


def at(text: str) -> float:
    """`2026-03-27T18:00:00+01:00`, or in Berlin's own time where no offset says otherwise."""
    found = datetime.fromisoformat(text)
    return (found if found.tzinfo else found.replace(tzinfo=BERLIN)).timestamp()


@pytest.mark.parametrize(
    ("hours", "moment", "inside"),
    [
        # Office hours: 8:00 is in, 18:00 is out, to the second.
        (OFFICE, "2026-11-23T07:59:59", False),
        (OFFICE, "2026-11-23T07:59:59.999", False),
        (OFFICE, "2026-11-23T08:00:00", True),
        (OFFICE, "2026-11-23T08:00:30", True),
        (OFFICE, "2026-11-23T17:59:59", True),
        (OFFICE, "2026-11-23T17:59:59.999", True),
        (OFFICE, "2026-11-23T18:00:00", False),
        (OFFICE, "2026-11-27T12:00:00", True),
        (OFFICE, "2026-11-28T12:00:00", False),
        (OFFICE, "2026-11-29T12:00:00", False),
        # Midnight and the ends of months and years.
        (OFFICE, "2026-11-30T00:00:00", False),
        (OFFICE, "2026-12-31T17:59:59", True),
        (OFFICE, "2027-01-01T08:00:00", True),
        (OFFICE, "2028-02-29T08:00:00", True),
        (SUNDAY, "2026-11-28T23:59:59", False),
        (SUNDAY, "2026-11-29T00:00:00", True),
        (SUNDAY, "2026-11-29T23:59:59", True),
        (SUNDAY, "2026-11-30T00:00:00", False),
        # Summer time begins on 29 March 2026 at 2:00 and ends on 25 October 2026 at 3:00. The year
        # before it ended on 26 October.
        (OFFICE, "2026-03-27T07:00:00+00:00", True),
        (OFFICE, "2026-03-27T06:59:59+00:00", False),
        (OFFICE, "2026-03-30T06:00:00+00:00", True),
        (OFFICE, "2026-03-30T05:59:59+00:00", False),
        (OFFICE, "2026-03-30T16:00:00+00:00", False),
        (OFFICE, "2026-10-23T06:00:00+00:00", True),
        (OFFICE, "2026-10-26T06:00:00+00:00", False),
        (OFFICE, "2026-10-26T07:00:00+00:00", True),
        (OFFICE, "2025-10-24T06:00:00+00:00", True),
        (OFFICE, "2025-10-27T06:00:00+00:00", False),
        (EARLY, "2026-03-28T01:30:00+00:00", True),
        (EARLY, "2026-03-29T00:59:59+00:00", False),
        (EARLY, "2026-03-29T01:00:00+00:00", False),
        (EARLY, "2025-10-26T00:00:00+00:00", True),
        (EARLY, "2025-10-26T00:59:59+00:00", True),
        (EARLY, "2025-10-26T01:00:00+00:00", True),
        (EARLY, "2025-10-26T01:59:59+00:00", True),
        (EARLY, "2025-10-26T02:00:00+00:00", False),
        # Overnight windows belong to the day they start on.
        (NIGHT, "2026-11-23T21:59:59", False),
        (NIGHT, "2026-11-23T22:00:00", True),
        (NIGHT, "2026-11-24T00:00:00", True),
        (NIGHT, "2026-11-24T05:59:59", True),
        (NIGHT, "2026-11-24T06:00:00", False),
        (NIGHT, "2026-11-23T05:00:00", False),
        (NIGHT, "2026-11-27T23:00:00", True),
        (NIGHT, "2026-11-28T05:59:59", True),
        (NIGHT, "2026-11-28T06:00:00", False),
        (NIGHT, "2026-11-28T22:00:00", False),
        (NIGHT, "2026-11-30T00:00:00", False),
        # From eight to eight is a whole day.
        (SHIFT, "2026-11-23T07:59:59", False),
        (SHIFT, "2026-11-23T08:00:00", True),
        (SHIFT, "2026-11-24T07:59:59", True),
        (SHIFT, "2026-11-28T07:59:59", True),
        (SHIFT, "2026-11-28T08:00:00", False),
        # Several windows.
        (LUNCH, "2026-11-23T11:59:59", True),
        (LUNCH, "2026-11-23T12:00:00", False),
        (LUNCH, "2026-11-23T12:59:59", False),
        (LUNCH, "2026-11-23T13:00:00", True),
        # Holidays: no window starts.
        (FEAST, "2026-12-24T12:00:00", True),
        (FEAST, "2026-12-25T12:00:00", False),
        (FEAST, "2026-12-28T12:00:00", True),
        (FEAST_NIGHT, "2026-12-25T05:59:59", True),
        (FEAST_NIGHT, "2026-12-25T22:00:00", False),
        (FEAST_NIGHT, "2026-12-26T05:00:00", False),
        (FEAST_NIGHT, "2027-01-01T05:00:00", False),
        (FEAST_NIGHT, "2027-01-01T22:00:00", True),
        (ALWAYS, "2026-03-29T03:00:00", True),
    ],
)
def test_a_moment_is_inside_or_not(hours: Hours, moment: str, *, inside: bool) -> None:
    assert within(hours, at(moment)) is inside


@pytest.mark.parametrize(
    ("hours", "moment", "then"),
    [
        (OFFICE, "2026-11-23T08:00:00", "2026-11-23T18:00:00"),
        (OFFICE, "2026-11-23T17:59:59.5", "2026-11-23T18:00:00"),
        (OFFICE, "2026-11-23T18:00:00", "2026-11-24T08:00:00"),
        (OFFICE, "2026-11-27T18:00:00", "2026-11-30T08:00:00"),
        (OFFICE, "2026-03-27T18:00:00", "2026-03-30T06:00:00+00:00"),
        (OFFICE, "2026-10-23T18:00:00", "2026-10-26T07:00:00+00:00"),
        (NIGHT, "2026-11-27T23:00:00", "2026-11-28T06:00:00"),
        (NIGHT, "2026-11-28T06:00:00", "2026-11-30T22:00:00"),
        (LUNCH, "2026-11-23T09:00:00", "2026-11-23T12:00:00"),
        (LUNCH, "2026-11-23T12:00:00", "2026-11-23T13:00:00"),
        (FEAST, "2026-12-24T18:00:00", "2026-12-28T08:00:00"),
        (SUNDAY, "2026-11-29T01:00:00", "2026-11-30T00:00:00"),
        (SUNDAY, "2026-03-26T00:15:00", "2026-03-29T00:00:00"),
        # The hour that is skipped, and the one that there is twice.
        (EARLY, "2026-03-28T03:00:00", "2026-03-30T00:00:00+00:00"),
        (SUNDAY_EARLY, "2026-03-22T03:00:00", "2026-04-05T02:00:00"),
        (LATE, "2026-11-23T23:00:00", "2026-11-24T00:00:00"),
        (ODD, "2026-11-23T08:00:00", "2026-11-23T08:30:15"),
        (ODD, "2026-11-23T08:30:15", "2026-11-23T09:45:59"),
        (EARLY, "2025-10-26T00:30:00+00:00", "2025-10-26T02:00:00+00:00"),
    ],
)
def test_the_next_change_is_told_to_the_second(hours: Hours, moment: str, then: str) -> None:
    assert next_change(hours, at(moment)) == at(then)


@pytest.mark.parametrize(
    ("zone", "moment", "then"),
    [
        # A day that is shorter or longer, where the clock is changed at midnight or by half.
        ("Australia/Lord_Howe", "2026-04-04T12:00:00+00:00", "2026-04-04T13:00:00+00:00"),
        ("America/Havana", "2026-03-07T12:00:00+00:00", "2026-03-08T05:00:00+00:00"),
        ("Pacific/Apia", "2011-12-30T09:30:00+00:00", "2011-12-30T10:00:00+00:00"),
    ],
)
def test_the_first_second_of_a_day_is_found_wherever_the_clock_is_changed(
    zone: str, moment: str, then: str
) -> None:
    there = ZoneInfo(zone)
    today = datetime.fromtimestamp(at(then), there).weekday()

    hours = Hours(zone=there, days=frozenset({today}))
    assert not within(hours, at(moment))
    assert next_change(hours, at(moment)) == at(then)


def test_a_window_that_summer_time_cuts_short_ends_when_the_clock_is_put_forward() -> None:
    cut = Hours(zone=BERLIN, windows=((1 * HOUR, 2 * HOUR + 1800),))

    assert next_change(cut, at("2026-03-29T01:30:00")) == at("2026-03-29T01:00:00+00:00")


@pytest.mark.parametrize(
    ("zone", "window", "moment", "then"),
    [
        # Half an hour is skipped at 2:00; an hour is repeated at 1:00.
        ("Australia/Lord_Howe", (3600, 8100), "2026-10-03T15:00:00", "2026-10-03T15:30:00"),
        ("Europe/Berlin", (9000, 12600), "2026-10-25T00:45:00", "2026-10-25T01:00:00"),
        ("America/Havana", (1800, 5400), "2026-11-01T04:45:00", "2026-11-01T05:00:00"),
    ],
)
def test_so_does_one_in_zones_that_change_it_at_other_hours(
    zone: str, window: tuple[int, int], moment: str, then: str
) -> None:
    hours = Hours(zone=ZoneInfo(zone), windows=(window,))

    assert within(hours, at(f"{moment}+00:00"))
    assert next_change(hours, at(f"{moment}+00:00")) == at(f"{then}+00:00")


def test_a_window_twice_on_one_day_has_two_ends() -> None:
    half = Hours(zone=BERLIN, windows=((2 * HOUR, 2 * HOUR + 1800),))
    turns = []
    moment = at("2025-10-26T01:00:00")
    for _ in range(4):
        moment = next_change(half, moment)
        turns.append(datetime.fromtimestamp(moment, UTC).strftime("%H:%M"))

    assert turns == ["00:00", "00:30", "01:00", "01:30"]


def test_hours_that_never_end_never_change_except_for_holidays() -> None:
    closed_once = Hours(zone=BERLIN, holidays=frozenset({date(2027, 7, 1)}))

    assert next_change(ALWAYS, at("2026-03-28T12:00:00")) == inf
    assert next_change(Hours(zone=BERLIN, days=frozenset()), at("2026-03-28T12:00:00")) == inf
    assert next_change(closed_once, at("2026-11-23T12:00:00")) == at("2027-07-01T00:00:00")
    assert next_change(closed_once, at("2027-07-01T12:00:00")) == at("2027-07-02T00:00:00")


ZONES = ["Europe/Berlin", "UTC", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu"]
SECONDS = st.integers(0, 24 * 12 - 1).map(lambda n: n * 300)


@given(
    zone=st.sampled_from(ZONES),
    days=st.frozensets(st.integers(0, 6), min_size=1),
    windows=st.lists(st.tuples(SECONDS, SECONDS), min_size=1, max_size=2),
    now=st.integers(int(at("2026-03-25T00:00:00")), int(at("2026-04-06T00:00:00"))),
)
def test_between_two_changes_nothing_changes(
    zone: str, days: frozenset[int], windows: list[tuple[int, int]], now: int
) -> None:
    hours = Hours(zone=ZoneInfo(zone), days=days, windows=tuple(windows))
    until = min(next_change(hours, now), now + 3 * 86400)

    answers = {within(hours, moment) for moment in range(now, int(until), 900)}

    assert answers <= {within(hours, now)}
    if until < now + 3 * 86400:
        assert within(hours, until) is not within(hours, until - 1)
