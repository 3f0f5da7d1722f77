from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from torhaus.limits.months import month

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize(
    ("said", "period", "ends"),
    [
        ("2026-11-23 03:00", "2026-11", "2026-12-01 00:00"),
        ("2026-12-31 23:59", "2026-12", "2027-01-01 00:00"),
        ("2027-01-01 00:00", "2027-01", "2027-02-01 00:00"),
        ("2028-02-29 12:00", "2028-02", "2028-03-01 00:00"),
        ("2026-03-31 23:30", "2026-03", "2026-04-01 00:00"),
        ("2026-10-25 02:30", "2026-10", "2026-11-01 00:00"),
    ],
)
def test_a_month_is_the_one_on_the_wall_in_its_zone(said: str, period: str, ends: str) -> None:
    now = datetime.fromisoformat(said).replace(tzinfo=BERLIN).timestamp()

    assert month(now, BERLIN) == (
        period,
        datetime.fromisoformat(ends).replace(tzinfo=BERLIN).timestamp(),
    )


def test_zones_change_months_at_their_own_midnight() -> None:
    now = datetime(2026, 10, 31, 23, 30, tzinfo=ZoneInfo("UTC")).timestamp()

    assert month(now, ZoneInfo("UTC"))[0] == "2026-10"
    assert month(now, BERLIN)[0] == "2026-11"
