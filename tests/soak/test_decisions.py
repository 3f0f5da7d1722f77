"""A million generated calls, under rules that are generated too."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.torhaus.policy.generated import accesses, added, additions, check
from torhaus.model.access import Access

EXAMPLES, CALLS = 1000, 1000


@pytest.mark.soak
@settings(max_examples=EXAMPLES, deadline=None)
@given(accesses(), additions(), st.integers(0, 2**32))
def test_a_million_decisions_hold(access: Access, more: tuple[str, object], seed: int) -> None:
    check(access, added(access, more), seed, CALLS)
