"""How late a sink is."""

import pytest

from torhaus.audit.lag import LATE, seconds, trouble
from torhaus.model.shipping import SinkState

NOON = 1_767_268_800.0


def state(word: str = "delivering", oldest: str = "", behind: int = 0) -> SinkState:
    return SinkState(
        name="siem", state=word, oldest=oldest, behind=behind, error="it said: secret words"
    )


@pytest.mark.parametrize(
    ("oldest", "late"),
    [
        ("", 0.0),
        ("2026-01-01T11:59:00.000Z", 60.0),
        ("2026-01-01T12:01:00.000Z", 0.0),
        ("garbage", 0.0),
    ],
)
def test_lag_is_the_age_of_the_oldest_record_to_deliver(oldest: str, late: float) -> None:
    assert seconds(state(oldest=oldest), NOON) == late


def test_a_sink_that_keeps_up_is_no_trouble() -> None:
    assert trouble(state(oldest="2026-01-01T11:59:00.000Z", behind=3), NOON) == ""


def test_a_sink_that_fails_is_trouble_without_what_its_receiver_said() -> None:
    assert trouble(state("failing", behind=3), NOON) == "does not take records, 3 records behind"


def test_a_sink_that_is_late_is_trouble() -> None:
    found = state(oldest="2026-01-01T11:50:00.000Z", behind=7)

    assert LATE < 600
    assert trouble(found, NOON) == "is 10 min late, 7 records behind"
