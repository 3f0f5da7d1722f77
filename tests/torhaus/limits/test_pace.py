import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.limits.pace import left, use, wait
from torhaus.model.limits import Pace

STEPS = st.lists(st.integers(0, 16).map(lambda parts: parts / 8), max_size=100)
PACES = st.builds(
    Pace, st.sampled_from([1, 2, 4]), st.sampled_from([1.0, 2.0, 4.0]), st.integers(1, 5)
)


@given(PACES, STEPS)
def test_a_pace_agrees_with_a_bucket_that_fills_evenly(pace: Pace, steps: list[float]) -> None:
    """The other way to see it: tokens drip in, and at most a burst of them is held (in eighths)."""
    ahead, now = 0.0, 1_700_000_000.0
    tokens = float(pace.burst)
    for step in steps:
        now += step
        tokens = min(pace.burst, tokens + step * pace.requests / pace.seconds)

        assert (wait(ahead, pace, now) == 0.0) == (tokens >= 1.0)
        assert left(ahead, pace, now) == int(tokens)
        if tokens >= 1.0:
            tokens -= 1.0
            ahead = use(ahead, pace, now)


@given(PACES, STEPS)
def test_one_more_fits_after_the_wait_and_not_before(pace: Pace, steps: list[float]) -> None:
    ahead, now = 0.0, 1_700_000_000.0
    for step in steps:
        now += step
        seconds = wait(ahead, pace, now)
        if seconds == 0.0:
            ahead = use(ahead, pace, now)
            continue
        assert wait(ahead, pace, now + seconds) == 0.0
        assert wait(ahead, pace, now + seconds - 0.0625) > 0.0


@pytest.mark.parametrize("pace", [Pace(0, 60.0, 5), Pace(5, 60.0, 0)])
def test_a_pace_of_nothing_never_fits(pace: Pace) -> None:
    assert wait(0.0, pace, 5.0) == 60.0
    assert left(0.0, pace, 5.0) == 0


def test_a_clock_set_back_closes_it_for_no_longer_than_a_burst() -> None:
    pace = Pace(1, 1.0, 3)

    assert wait(1_000_000.0, pace, 5.0) == 1.0
    assert use(1_000_000.0, pace, 5.0) == 9.0
