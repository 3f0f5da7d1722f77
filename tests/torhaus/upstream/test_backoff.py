"""How long a server that cannot start is left alone."""

from torhaus.upstream.backoff import Backoff


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_the_wait_doubles_up_to_half_a_minute():
    clock = Clock()
    backoff = Backoff(clock)
    waits = []
    for _ in range(9):
        backoff.failed("alice", "it is broken")
        began = clock.now
        while backoff.refusal("alice") is not None:
            clock.now += 0.25
        waits.append(clock.now - began)

    assert waits == [0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


def test_a_refusal_says_why_and_how_long():
    backoff = Backoff(Clock())
    backoff.failed("alice", "it stopped with exit code 3")

    assert backoff.refusal("alice") == (
        "it stopped with exit code 3 (the next attempt is possible in 0.5 s)"
    )
    assert backoff.refusal("bob") is None


def test_success_and_time_are_forgiving():
    clock = Clock()
    backoff = Backoff(clock)
    for _ in range(5):
        backoff.failed("alice", "broken")
    backoff.succeeded("alice")
    assert (backoff.refusal("alice"), backoff.latest) == (None, None)

    for _ in range(5):
        backoff.failed("alice", "broken")
    clock.now += 1000.0
    backoff.failed("bob", "broken")
    backoff.failed("alice", "broken")
    clock.now += 0.5
    assert backoff.refusal("alice") is None
