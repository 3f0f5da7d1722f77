from collections import deque

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torhaus.limits.window import Uses, forget, wait
from torhaus.model.servers import Window

STEPS = st.lists(st.integers(0, 8).map(lambda eighths: eighths / 8), max_size=80)
WINDOWS = st.builds(Window, st.integers(1, 5), st.sampled_from([0.5, 1.0, 2.0, 3.0]))


@given(window=WINDOWS, steps=STEPS)
def test_a_window_agrees_with_counting_every_use(window: Window, steps: list[float]) -> None:
    uses: Uses = deque()
    taken: list[float] = []
    now = 1_700_000_000.0
    for step in steps:
        now += step
        forget(uses, window, now)
        recent = [use for use in taken if use > now - window.seconds]

        fits = wait(uses, window, now) == 0.0

        assert fits == (len(recent) < window.requests)
        if fits:
            uses.append(now)
            taken.append(now)


@given(window=WINDOWS, steps=STEPS)
def test_one_more_use_fits_after_the_wait_and_not_before(
    window: Window, steps: list[float]
) -> None:
    uses: Uses = deque()
    now = 0.0
    for step in steps:
        now += step
        forget(uses, window, now)
        seconds = wait(uses, window, now)
        if seconds == 0.0:
            uses.append(now)
            continue
        early, late = deque(uses), deque(uses)
        forget(early, window, now + seconds - 0.0625)
        forget(late, window, now + seconds)
        assert wait(early, window, now + seconds - 0.0625) > 0.0
        assert wait(late, window, now + seconds) == 0.0


def test_a_lowered_limit_waits_for_enough_uses_to_end() -> None:
    uses = deque([0.0, 1.0, 2.0])

    assert wait(uses, Window(1, 10.0), 3.0) == pytest.approx(9.0)


@pytest.mark.parametrize("uses", [[], [1.0]])
def test_a_window_of_no_requests_never_fits(uses: list[float]) -> None:
    assert wait(deque(uses), Window(0, 60.0), 1.0) == 60.0


def test_a_clock_set_back_does_not_close_a_window_for_longer_than_itself() -> None:
    uses = deque([1000.0, 1001.0])
    window = Window(2, 60.0)

    forget(uses, window, 5.0)

    assert wait(uses, window, 5.0) == 60.0
