"""What is counted about one server, in plain numbers: a tenth of the price of metric objects."""

from bisect import bisect_left
from collections.abc import Callable, Container, Mapping
from decimal import Decimal

from torhaus.limits.spending import sent_and_saved
from torhaus.model.call import Call
from torhaus.model.cost import Price
from torhaus.model.outcome import Answered, Failed, Limited, Outcome, Served
from torhaus.policy.names import normal

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Upper bounds of the duration histogram, in seconds."""

STATUSES = frozenset(("success", "error", "denied", "pending", "limited", "cancelled"))
OTHER = "other"
NOTHING = Decimal(0)
MAX_METHODS = 500
"""Different `method` labels of one server at most; further ones are counted as `other`."""

MAX_KINDS = 200
"""Different `kind` labels: names of detectors, and of patterns in the configuration."""

Known = Callable[[str], Container[str]]
"""A server's name -> the tools it is known to offer. Must not raise."""

_MAX_LENGTH = 128
_MAX_SPELLINGS = 3

_PROTOCOL = frozenset(
    (
        "completion/complete",
        "initialize",
        "logging/setLevel",
        "ping",
        "prompts/get",
        "prompts/list",
        "resources/list",
        "resources/read",
        "resources/subscribe",
        "resources/templates/list",
        "resources/unsubscribe",
        "server/discover",
        "subscriptions/listen",
        "tasks/cancel",
        "tasks/get",
        "tasks/list",
        "tasks/result",
        "tasks/update",
        "tools/list",
    )
)


class Tally:
    """Written by the loop's thread alone; any thread may read it."""

    __slots__ = (
        "_methods",
        "_spellings",
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
        self._methods: set[str] = set()
        self._spellings: dict[str, int] = {}

    def add(self, call: Call, outcome: Outcome, status: str, seconds: float, known: Known) -> None:
        requests, key = self.requests, (call.operation, status)
        count = requests.get(key)
        if count is None:
            key = (self._label(call, known), status if status in STATUSES else "error")
            count = requests.get(key, 0)
        requests[key] = count + 1
        self.buckets[bisect_left(BUCKETS, seconds)] += 1
        self.seconds += seconds
        if isinstance(outcome, Answered):
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
        if outcome.served is Served.COALESCED:
            self.coalesced += 1
        elif outcome.served is Served.STALE:
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

    def _label(self, call: Call, known: Known) -> str:
        """The operation where it is a name that callers cannot invent, else `other`."""
        name = call.operation
        if name in self._methods:
            return name
        if len(self._methods) >= MAX_METHODS or not self._acceptable(call, known):
            return OTHER
        self._methods.add(name)
        return name

    def _acceptable(self, call: Call, known: Known) -> bool:
        name = call.operation
        if call.method != "tools/call":
            return name in _PROTOCOL
        if len(name) > _MAX_LENGTH:
            return False
        if call.hints or name in known(call.server.name):
            return True  # in the server's own list, spelled like this
        plain = normal(name)
        spellings = self._spellings.get(plain, 0)
        if plain not in call.server.classes or spellings >= _MAX_SPELLINGS:
            return False
        self._spellings[plain] = spellings + 1
        return True
