"""What an answer of a certain age is good for."""

from enum import Enum

from torhaus.model.caching import CacheRule
from torhaus.model.ports import Entry


class Freshness(Enum):
    """FRESH: give it. REVALIDATE: give it, and fetch a new one meanwhile.

    IF_ERROR: give it only if the server cannot answer. GONE: it is no good any more.
    """

    FRESH = "fresh"
    REVALIDATE = "revalidate"
    IF_ERROR = "if error"
    GONE = "gone"


def freshness(entry: Entry, rule: CacheRule, now: float) -> Freshness:
    """By the rule in force now: a shorter `ttl` counts at once, a longer one from the next answer.

    An entry from the future (the clock was set back) is gone.
    """
    end = min(entry.expires, entry.stored + rule.ttl)
    if now < end:
        return Freshness.FRESH if now >= entry.stored - 1.0 else Freshness.GONE
    if now < end + rule.stale_while_revalidate:
        return Freshness.REVALIDATE
    if now < end + rule.stale_if_error:
        return Freshness.IF_ERROR
    return Freshness.GONE


def usable_for(rule: CacheRule) -> float:
    """Seconds after `expires` for which an entry has to be kept."""
    return max(rule.stale_while_revalidate, rule.stale_if_error)
