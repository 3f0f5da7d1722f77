from torhaus.mcp.eras import CACHEABLE
from torhaus.mcp.methods import LISTS, MAY_ASK, NAMED, ONLY_MODERN, REMOVED_IN_MODERN


def test_no_method_is_both_removed_and_new():
    assert not REMOVED_IN_MODERN & ONLY_MODERN


def test_what_may_ask_repeats_its_name_in_a_header():
    assert set(NAMED) >= MAY_ASK


def test_every_list_carries_cache_hints():
    assert set(LISTS) <= CACHEABLE
