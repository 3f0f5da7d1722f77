from datetime import date, datetime, timedelta, timezone

import pytest

from torhaus.config.amounts import moment, octets, seconds, whole
from torhaus.config.amounts import timezone as zone
from torhaus.config.problems import FaultError


@pytest.mark.parametrize(
    ("text", "value"),
    [(300, 300), ("300", 300), (0.5, 0.5), ("20ms", 0.02), ("5s", 5), ("5m", 300), ("2h", 7200),
     ("30d", 2_592_000), ("1w", 604_800), ("2y", 63_072_000), ("1.5 h", 5400), (0, 0)],
)  # fmt: skip
def test_durations_are_seconds(text: object, value: float) -> None:
    assert seconds(text) == pytest.approx(value)


@pytest.mark.parametrize(
    "text", ["", "5x", "m", "-5", -5, "5 m m", True, None, [5], float("nan"), float("inf"), "1e9",
             "\u0665m", "5M", "9" * 40, 10**13],
)  # fmt: skip
def test_what_is_not_a_duration_is_refused(text: object) -> None:
    with pytest.raises(FaultError, match="not a duration"):
        seconds(text)


@pytest.mark.parametrize(
    ("text", "value"), [(4096, 4096), ("4MiB", 4 << 20), ("4MB", 4_000_000), ("1 KiB", 1024)]
)
def test_sizes_are_octets(text: object, value: int) -> None:
    assert octets(text) == value


@pytest.mark.parametrize("text", ["4 apples", "MiB", True, -1, "", None])
def test_what_is_not_a_size_is_refused(text: object) -> None:
    with pytest.raises(FaultError, match="not a size"):
        octets(text)


@pytest.mark.parametrize("text", [True, "8080x", 80.5, "-1", "", None, "\u0663"])
def test_what_is_not_whole_is_refused(text: object) -> None:
    with pytest.raises(FaultError, match="whole number"):
        whole(text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2025-12-31", date(2025, 12, 31)),
        ("2025-12-31T18:00:00", datetime(2025, 12, 31, 18)),  # noqa: DTZ001 - none is written
        (
            "2025-12-31 18:00:00+02:00",
            datetime(2025, 12, 31, 18, tzinfo=timezone(timedelta(hours=2))),
        ),
    ],
)
def test_days_and_moments_are_read(text: str, value: object) -> None:
    assert moment(text) == value


@pytest.mark.parametrize("text", ["31.12.2025", "2025-13-01", "2025-02-30", "20251231", "never"])
def test_what_is_not_a_date_is_refused(text: str) -> None:
    with pytest.raises(FaultError, match="not a date"):
        moment(text)


@pytest.mark.parametrize("name", ["Mars/Olympus", "", "../etc/passwd", "Europe", "/etc/localtime"])
def test_unknown_time_zones_are_refused(name: str) -> None:
    with pytest.raises(FaultError, match="not a time zone"):
        zone(name)
