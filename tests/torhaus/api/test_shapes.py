from datetime import UTC, datetime

import pytest

from torhaus.api.shapes import AccessDecision, end_of


@pytest.mark.parametrize("at", [None, float("inf"), float("-inf"), float("nan"), 1e12])
def test_what_is_no_time_is_null(at: float | None) -> None:
    assert end_of(at) is None


def test_times_are_utc() -> None:
    assert end_of(0.0) == "1970-01-01T00:00:00.000Z"
    decision = AccessDecision.model_validate({"until": "2026-09-21T17:00:00+02:00"})
    assert decision.end() == datetime(2026, 9, 21, 15, tzinfo=UTC).timestamp()
    assert AccessDecision().end() is None
