"""The slowest twentieth of the last calls."""

from torhaus.upstream.latencies import FEWEST, KEPT, WINDOW, Latencies


def noted(*seconds):
    latencies = Latencies()
    for place, each in enumerate(seconds):
        latencies.note(100.0 + place, 100.0 + place + each)
    return latencies


def test_few_calls_say_nothing():
    assert noted(*[9.0] * (FEWEST - 1)).p95(130.0) is None


def test_ninety_five_of_a_hundred_were_at_most_this_slow():
    assert round(noted(*range(1, 101)).p95(300.0)) == 95


def test_one_slow_call_of_forty_is_no_slow_server():
    assert round(noted(*[0.5] * 39, 60.0).p95(200.0), 6) == 0.5


def test_calls_of_long_ago_do_not_count():
    latencies = noted(*[9.0] * FEWEST)

    assert latencies.p95(100.0 + WINDOW) is not None
    assert latencies.p95(200.0 + WINDOW) is None


def test_the_oldest_call_makes_room_for_the_newest():
    latencies = noted(*[60.0] * KEPT, *[1.0] * KEPT)

    assert round(latencies.p95(100.0 + 2 * KEPT), 6) == 1.0
