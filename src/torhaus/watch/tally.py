"""What is counted about one server, in plain numbers: a tenth of the price of metric objects."""

from bisect import bisect_left
from collections.abc import Mapping
from decimal import Decimal

from torhaus.limits.spending import sent_and_saved
from torhaus.model.call import Call
from torhaus.model.cost import Price
from torhaus.model.outcome import Answered, Failed, Limited, Outcome, Served
from torhaus.watch.labels import OTHER, Known, Labels

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the duration histogram, in seconds."""

STATUSES = frozenset(("success", "error", "denied", "pending", "limited", "cancelled"))
NOTHING = Decimal(0)
_COALESCED, _STALE = Served.COALESCED, Served.STALE  # looking a member up costs more than comparing
MAX_KINDS = 200
"""Different `kind` labels: names of detectors, and of patterns in the configuration."""


class Tally:
    """Written by the loop's thread alone; any thread may read it."""

    __slots__ = (
        "_labels",
        "api_calls",
        "buckets",
        "coalesced",
        "hits",
        "kept",
        "limited",
        "masked",
        "misses",
        "requests",
        "saved",
        "seconds",
        "spent",
        "stale",
    )

    def __init__(self) -> None:
        self.requests: dict[tuple[str, str], int] = {}
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0
        self.hits = self.misses = self.api_calls = self.saved = self.limited = 0
        self.coalesced = self.stale = 0
        self.spent: dict[str, Decimal] = {}
        self.kept: dict[str, Decimal] = {}
        self.masked: dict[str, int] = {}
        self._labels = Labels()

    def add(self, call: Call, outcome: Outcome, status: str, seconds: float, known: Known) -> None:
        requests, key = self.requests, (call.operation, status)
        count = requests.get(key)
        if count is None:
            label = self._labels.of(call, known)
            key = (label, status if status in STATUSES else "error")
            count = requests.get(key, 0)
        requests[key] = count + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        if type(outcome) is Answered:  # a third of the price of `isinstance`
            if outcome.cached:
                self._save(outcome)
            else:
                self.api_calls += 1
                self.misses += outcome.cacheable
        elif isinstance(outcome, Failed):
            self.api_calls += not outcome.joined
        elif isinstance(outcome, Limited):
            self.limited += 1

    def _save(self, outcome: Answered) -> None:
        self.hits += 1
        self.saved += 1
        if outcome.served is _COALESCED:
            self.coalesced += 1
        elif outcome.served is _STALE:
            self.stale += 1
            self.api_calls += outcome.refreshed

    def pay(self, price: Price, outcome: Outcome) -> None:
        """Count what a call has cost, or saved."""
        calls, saved = sent_and_saved(outcome)
        currency = price.currency
        if calls:
            self.spent[currency] = self.spent.get(currency, NOTHING) + price.amount * calls
        if saved:
            self.kept[currency] = self.kept.get(currency, NOTHING) + price.amount * saved

    def mask(self, counts: Mapping[str, int]) -> None:
        for kind, count in counts.items():
            known = kind in self.masked or len(self.masked) < MAX_KINDS
            label = kind if known else OTHER
            self.masked[label] = self.masked.get(label, 0) + count
