import pytest

from torhaus.cache.freshness import Freshness, freshness, usable_for
from torhaus.model.caching import CacheRule
from torhaus.model.ports import Entry
from torhaus.model.servers import Era

ENTRY = Entry(b"{}", Era.MODERN, 1000.0, 1060.0)
RULE = CacheRule(ttl=60.0, stale_while_revalidate=30.0, stale_if_error=100.0)


@pytest.mark.parametrize(
    ("now", "good"),
    [
        (1000.0, Freshness.FRESH),
        (1059.9, Freshness.FRESH),
        (1060.0, Freshness.REVALIDATE),
        (1089.9, Freshness.REVALIDATE),
        (1090.0, Freshness.IF_ERROR),
        (1159.9, Freshness.IF_ERROR),
        (1160.0, Freshness.GONE),
        (900.0, Freshness.GONE),
    ],
)
def test_an_answer_ages(now: float, good: Freshness) -> None:
    assert freshness(ENTRY, RULE, now) is good


def test_a_shorter_time_to_live_counts_at_once_a_longer_one_later() -> None:
    assert freshness(ENTRY, CacheRule(ttl=10.0), 1010.0) is Freshness.GONE
    assert freshness(ENTRY, CacheRule(ttl=900.0), 1060.0) is Freshness.GONE


def test_an_entry_is_kept_as_long_as_it_may_be_of_use() -> None:
    assert usable_for(RULE) == 100.0
    assert usable_for(CacheRule(ttl=1.0)) == 0.0
