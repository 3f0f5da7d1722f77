"""A hundred thousand generated calls; `make soak` asks ten times as many."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torhaus.policy.generated import (
    NOW,
    accesses,
    added,
    additions,
    caller,
    calls,
    check,
)
from torhaus.model.access import Access, Permission
from torhaus.model.verdict import Deny
from torhaus.policy.decide import decide

EXAMPLES, CALLS = 200, 500


@pytest.mark.slow
@settings(max_examples=EXAMPLES, deadline=None)
@given(accesses(), additions(), st.integers(0, 2**32))
def test_nothing_unknown_is_allowed_and_no_rule_that_takes_away_gives(
    access: Access, more: tuple[str, object], seed: int
) -> None:
    check(access, added(access, more), seed, CALLS)


def test_the_generated_calls_come_to_every_end() -> None:
    """A property of calls that are all refused alike would say nothing."""
    everything = Access(allows=(Permission("s", "*", "*", "all"),))

    found = Counter(
        verdict.code if isinstance(verdict, Deny) else type(verdict).__name__
        for verdict in (decide(call, NOW) for call in calls(caller(everything), 7, 3000))
    )

    assert found["Allow"] > 1500
    assert found["bad_argument"] > 10
