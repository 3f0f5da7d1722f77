"""When calls to a server stop, and when they may try again."""

import pytest

from torhaus.model.health import Upkeep
from torhaus.upstream.breaker import Breaker

UPKEEP = Upkeep(failures=3, wait=1.0, longest=8.0)


def opened(draw=1.0):
    breaker = Breaker(since=0.0)
    found = [breaker.failed(float(now), UPKEEP, draw) for now in range(3)]
    assert found == [False, False, True]
    return breaker


def test_it_opens_with_the_last_of_the_configured_failures():
    assert opened().opened == 2.0


def test_it_never_opens_where_that_is_configured():
    breaker = Breaker(since=0.0)

    assert not any(breaker.failed(1.0, Upkeep(failures=0), 0.5) for _ in range(1000))
    assert breaker.opened is None


def test_one_try_is_let_through_when_it_is_due():
    breaker = opened()

    assert not breaker.admits(2.9)
    assert breaker.admits(3.0)
    assert not breaker.admits(3.0)


def test_every_try_in_vain_doubles_the_wait_up_to_the_longest():
    breaker, waits = opened(), []
    for _ in range(5):
        now = breaker.due
        assert breaker.admits(now)
        assert breaker.failed(now, UPKEEP, 1.0) is False
        waits.append(breaker.due - now)

    assert waits == [2.0, 4.0, 8.0, 8.0, 8.0]


@pytest.mark.parametrize(("draw", "due"), [(0.0, 2.5), (0.5, 2.75), (1.0, 3.0)])
def test_chance_takes_up_to_half_of_the_wait(draw, due):
    assert opened(draw).due == due


def test_a_try_that_was_called_off_lets_the_next_one_try_at_once():
    breaker = opened()
    assert breaker.admits(3.0)

    assert breaker.abandoned(breaker.times)
    assert breaker.admits(3.0)


def test_a_try_that_failed_was_not_called_off():
    breaker = opened()
    times = breaker.times
    assert breaker.admits(3.0)
    breaker.failed(3.0, UPKEEP, 1.0)

    assert not breaker.abandoned(times)
    assert not breaker.admits(3.0)


def test_an_answered_check_lets_calls_pass_until_the_first_that_fails():
    breaker = opened()
    assert breaker.admits(3.0)
    breaker.on_parole(UPKEEP)

    assert breaker.opened is None
    assert breaker.failed(4.0, UPKEEP, 1.0) is True
    assert breaker.due == 6.0  # longer than the first time


def test_a_check_that_says_nothing_leaves_the_next_try_to_a_call():
    breaker = opened()
    assert breaker.admits(3.0)
    breaker.undecided(3.0, UPKEEP, 1.0)

    assert breaker.by_call
    assert not breaker.admits(3.9)
    assert breaker.admits(4.0)
