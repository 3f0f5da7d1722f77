"""Names of ended sessions are held as long as they could be used, in little room."""

import sys

from torhaus.gate.ended import DAY, Ended

NAME, OTHER = bytes(range(16)), bytes(range(1, 17))
SOME, ITEM = 10_000, 100


def test_what_was_added_is_known_and_nothing_else():
    ended = Ended()
    ended.add(NAME, 5 * DAY + 1)

    assert ended.holds(NAME, 5 * DAY + 1)
    assert not ended.holds(OTHER, 5 * DAY + 1)
    assert not ended.holds(NAME, 7 * DAY)


def test_it_is_let_go_of_when_its_whole_day_is_over():
    ended = Ended()
    ended.add(NAME, 5 * DAY + 1)

    ended.sweep(5 * DAY + 2)
    assert len(ended) == 1
    ended.sweep(6 * DAY)
    assert len(ended) == 0


def test_a_name_costs_less_than_a_hundred_octets():
    ended = Ended()
    for number in range(SOME):
        ended.add((number * 2**110 // SOME).to_bytes(16, "big"), DAY)
    (names,) = ended._days.values()

    assert sys.getsizeof(names) + sum(map(sys.getsizeof, names)) < ITEM * SOME
