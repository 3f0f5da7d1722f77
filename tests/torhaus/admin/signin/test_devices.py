import os

import pytest

from tests.torhaus.cast import Clock, randoms
from torhaus.admin.signin.devices import LASTS, MOST, Devices
from torhaus.mcp.seal import Sealer, binding

ALICE, BOB = "alice@example.org", "bob@example.org"
SEALER = Sealer(b"s" * 32, os.urandom)


def devices(clock: Clock) -> Devices:
    return Devices(SEALER, randoms(), clock)


def test_a_browser_is_known_with_whom_it_has_signed_in_with_and_nobody_else() -> None:
    clock = Clock()
    at = devices(clock)

    first = at.signed_in("", ALICE)
    clock.turn(5)
    both = at.signed_in(first, BOB)

    assert at.since(first, ALICE) == clock.now - 5
    assert at.since(first, BOB) is None
    assert (at.since(both, ALICE), at.since(both, BOB)) == (clock.now - 5, clock.now)
    assert at.name(first) == at.name(both) != ""
    assert at.name(at.signed_in("", ALICE)) != at.name(first)
    assert ALICE not in first


def test_it_is_known_for_half_a_year_and_no_longer() -> None:
    clock = Clock()
    at = devices(clock)
    kept = at.signed_in("", ALICE)
    clock.turn(LASTS - 1)
    assert at.since(kept, ALICE) is not None

    clock.turn(1)

    assert at.since(kept, ALICE) is None
    assert at.name(kept) == ""


def test_a_browser_of_many_keeps_the_newest() -> None:
    clock = Clock()
    at, kept = devices(clock), ""
    for number in range(MOST + 1):
        kept = at.signed_in(kept, f"{number}@example.org")
        clock.turn(1)

    known = [at.since(kept, f"{number}@example.org") is not None for number in range(MOST + 1)]
    assert known == [False, *[True] * MOST]
    assert len(at.signed_in(kept, "x" * 254)) < 4096


@pytest.mark.parametrize(
    "cookie",
    [
        "",
        "x" * 5000,
        "ü",
        Sealer(b"t" * 32, os.urandom).seal(b"", binding("device"), 1e12),
        SEALER.seal(b"", binding("page form", "device"), 1e12),
        SEALER.seal(b"not msgpack", binding("device"), 1e12),
        SEALER.seal(b"\x93\x01\x02\x03", binding("device"), 1e12),
    ],
    # What is sealed differs in each process, and names of tests must not.
    ids=["empty", "long", "no base64", "another key", "of a form", "no msgpack", "no device"],
)
def test_what_we_have_not_sealed_says_nothing(cookie: str) -> None:
    at = devices(Clock())

    assert at.since(cookie, ALICE) is None
    assert at.name(cookie) == ""
    assert at.since(at.signed_in(cookie, ALICE), ALICE) is not None
