"""Office hours: whether a moment is inside, and when that changes."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from math import inf

from torhaus.model.access import Hours

DAY = timedelta(days=1)
AHEAD = 16
"""Days to look at: a weekly window whose hour a change to summer time skips opens a week later."""


def within(hours: Hours, now: float) -> bool:
    """Whether `now` (Unix seconds) is inside.

    The clock on the wall is asked, so hours that a change to summer time skips do not occur, and
    those that it repeats occur twice.
    """
    local = datetime.fromtimestamp(now, hours.zone)
    second = (local.hour * 60 + local.minute) * 60 + local.second
    today = local.date()
    for start, end in hours.windows:
        begun, ended = second >= start, second >= end
        if (begun and (not ended or end <= start) and _opens(hours, today)) or (
            not ended and end <= start and _opens(hours, today - DAY)
        ):
            return True
    return False


def _opens(hours: Hours, day: date) -> bool:
    return day.weekday() in hours.days and day not in hours.holidays


def next_change(hours: Hours, now: float) -> float:
    """The first instant after `now` at which `within` answers otherwise; infinity for never."""
    answer = within(hours, now)
    today = datetime.fromtimestamp(now, hours.zone).date()
    looks = [today, *sorted(day - DAY for day in hours.holidays if day > today)]
    for look in looks:
        for at in _turns(hours, look - DAY):
            if at > now and within(hours, at) is not answer:
                return at
    return inf


def _turns(hours: Hours, first: date) -> Iterator[float]:
    """Every instant in these days at which the answer may change, in order."""
    seconds = {0, *(second for window in hours.windows for second in window)}
    for number in range(AHEAD + 2):
        day = first + number * DAY
        found = {_instant(day, second, fold, hours.zone) for second in seconds for fold in (0, 1)}
        yield from sorted(found | _shifts(day, hours.zone))


def _instant(day: date, second: int, fold: int, zone: tzinfo) -> float:
    clock = time(second // 3600 % 24, second // 60 % 60, second % 60, tzinfo=zone, fold=fold)
    return datetime.combine(day, clock).timestamp()


def _shifts(day: date, zone: tzinfo) -> set[float]:
    """When the clock is put forward or back on this day."""
    low = datetime.combine(day, time(0), zone).timestamp()
    high = datetime.combine(day + DAY, time(0), zone).timestamp()
    before = _offset(low, zone)
    if _offset(high, zone) == before:
        return set()
    while high - low > 1:
        middle = (low + high) // 2
        if _offset(middle, zone) == before:
            low = middle
        else:
            high = middle
    return {high}


def _offset(at: float, zone: tzinfo) -> timedelta | None:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).utcoffset()
