from datetime import date
from typing import Any

import pytest
from pydantic import TypeAdapter

from torhaus.config.policies import PolicySpec, TimeSpec, days, windows
from torhaus.config.problems import FaultError

H = 3600


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        (True, {0, 1, 2, 3, 4}),
        (["mon", "TUE"], {0, 1}),
        (["monday", "sunday"], {0, 6}),
        ("sat", {5}),
        ("mon-fri", {0, 1, 2, 3, 4}),
        (["fri-mon"], {4, 5, 6, 0}),
        (["sun", "tue - wed"], {6, 1, 2}),
    ],
)
def test_weekdays_are_true_or_days_or_ranges(written: object, meant: set[int]) -> None:
    assert days(written) == meant


@pytest.mark.parametrize("written", [False, [], "", "mo", ["mon", 3], 5, "mon-", {"mon": 1}, None])
def test_what_is_no_day_is_refused(written: object) -> None:
    with pytest.raises(FaultError):
        days(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("08:00-18:00", [(8 * H, 18 * H)]),
        ("8:30 - 12:00", [(8 * H + 1800, 12 * H)]),
        ("22:00-06:00", [(22 * H, 6 * H)]),
        ("00:00-24:00", [(0, 24 * H)]),
        (["08:00-12:00", "13:00-17:30"], [(8 * H, 12 * H), (13 * H, 17 * H + 1800)]),
    ],
)
def test_hours_are_windows_in_seconds_of_the_day(
    written: object, meant: list[tuple[int, int]]
) -> None:
    assert list(windows(written)) == meant  # type: ignore[call-overload]


@pytest.mark.parametrize(
    "written",
    [
        "8-18", "08:00", "08:60-09:00", "24:01-25:00", "24:00-08:00", "08:00-08:00",
        "08:00\u201318:00", [], 800, ["08:00-18:00", 5], "-08:00-18:00", "8:0-9:0",
        "\u0660\u0668:00-18:00",
    ],
)  # fmt: skip
def test_what_are_no_hours_is_refused(written: object) -> None:
    with pytest.raises(FaultError):
        windows(written)


def test_holidays_are_days_of_the_calendar() -> None:
    spec = TimeSpec.model_validate({"holidays": ["2025-12-25"]})

    assert spec.holidays == (date(2025, 12, 25),)


@pytest.mark.parametrize("day", ["25.12.2025", "2025-02-30", 20251225, "2025-12-25T10:00"])
def test_what_is_no_day_of_the_calendar_is_refused(day: object) -> None:
    with pytest.raises(ValueError, match="not a day"):
        TimeSpec.model_validate({"holidays": [day]})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"action": "deny_outside_hours"}, "needs time"),
        ({"action": "deny_outside_networks"}, "needs networks"),
        ({"action": "deny_other_clients"}, "needs clients"),
        ({"action": "deny", "approvers": ["ops"]}, "asks nobody"),
        ({"action": "deny", "time": {}}, "says no time"),
        ({"action": "deny", "applies_to": []}, "at least 1 item"),
        ({"action": "allow"}, "Input should be"),
        ({}, "Field required"),
        ({"action": "deny", "applies_to": {"roles": "dev"}}, "Extra inputs"),
        ({"action": "deny", "time": {"timezone": "Mars", "weekdays": True}}, "not a time zone"),
    ],
)
def test_an_incomplete_policy_is_refused(more: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        TypeAdapter(PolicySpec).validate_python({"name": "x", **more})
