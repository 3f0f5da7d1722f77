from tests.torhaus.cast import Clock
from torhaus.admin.throttle import (
    ACCOUNT_FAILURES,
    FAILURES,
    MOST,
    QUARTER,
    SITE_FAILURES,
    Throttle,
)


def test_the_eleventh_try_of_a_minute_waits_until_the_first_is_a_minute_ago() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for _ in range(FAILURES):
        assert throttle.wait("192.0.2.1") == 0
        throttle.failed("192.0.2.1")
        clock.turn(1)

    assert throttle.wait("192.0.2.1") == 60 - FAILURES
    assert throttle.wait("192.0.2.2") == 0
    clock.turn(60 - FAILURES)
    assert throttle.wait("192.0.2.1") == 0


def test_a_network_of_ipv6_counts_as_one() -> None:
    throttle = Throttle(Clock())
    for number in range(FAILURES):
        throttle.failed(f"2001:db8::{number}")

    assert throttle.wait("2001:db8::ffff") > 0
    assert throttle.wait("2001:db8:0:1::1") == 0
    assert throttle.wait("not an address") == 0


def test_an_account_waits_from_everywhere_until_somebody_is_in() -> None:
    throttle = Throttle(Clock())
    for number in range(ACCOUNT_FAILURES):
        throttle.failed(f"192.0.2.{number}", "a@example.org")

    assert throttle.wait("198.51.100.1", "a@example.org") > 0
    assert throttle.wait("198.51.100.1", "b@example.org") == 0
    throttle.passed("a@example.org")
    assert throttle.wait("198.51.100.1", "a@example.org") == 0


def test_it_does_not_grow_with_those_who_try() -> None:
    throttle = Throttle(Clock())
    for number in range(MOST + 10):
        throttle.failed("192.0.2.1", f"{number}@example.org")

    assert all(len(known) <= MOST for known in throttle._failures.values())


def test_a_browser_that_is_known_counts_for_itself_alone() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    for number in range(ACCOUNT_FAILURES):
        throttle.failed(f"192.0.2.{number}", "a@example.org")
        throttle.failed("198.51.100.1", f"{number}@example.org")

    assert throttle.begins("198.51.100.1", "a@example.org") > 0
    for _ in range(ACCOUNT_FAILURES):
        assert throttle.begins("198.51.100.1", "a@example.org", "mine") == 0
    assert throttle.begins("198.51.100.1", "a@example.org", "mine") == QUARTER
    assert throttle.begins("198.51.100.1", "b@example.org", "mine") == 0
    assert throttle.begins("198.51.100.1", "a@example.org", "other") == 0
    clock.turn(QUARTER)
    assert throttle.begins("198.51.100.1", "a@example.org", "mine") == 0


def test_who_comes_in_with_a_known_browser_leaves_the_account_counted() -> None:
    throttle = Throttle(Clock())
    for number in range(ACCOUNT_FAILURES):
        throttle.failed(f"192.0.2.{number}", "a@example.org")
        throttle.failed("", "a@example.org", "mine")

    throttle.passed("a@example.org", "mine")

    assert throttle.wait("", "a@example.org", "mine") == 0
    assert throttle.wait("198.51.100.1", "a@example.org") > 0


def test_what_costs_nothing_pushes_no_failures_out() -> None:
    throttle = Throttle(Clock())
    for _ in range(ACCOUNT_FAILURES):
        throttle.failed("192.0.2.1", "a@example.org")

    for number in range(MOST + 10):
        throttle.departs(f"2001:db8:{number // 65536}:{number % 65536:x}::1")

    assert throttle.wait("198.51.100.1", "a@example.org") > 0


def test_who_has_many_networks_of_ipv6_waits_too() -> None:
    clock = Clock()
    throttle = Throttle(clock)
    tries = [
        throttle.begins(f"2001:db8:7:{each:x}::1", f"{each}@example.org") for each in range(99)
    ]

    assert tries.count(0.0) == SITE_FAILURES
    assert throttle.wait("2001:db8:7:ffff::1") == 60.0
    assert throttle.wait("2001:db8:8::1") == 0.0
    clock.turn(60)
    assert throttle.wait("2001:db8:7:ffff::1") == 0.0
