"""The numbers Prometheus asks for, under the names of the product text."""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

import msgspec
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    PlatformCollector,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from torhaus import __version__
from torhaus.limits.charges import CHARGED
from torhaus.model.call import Call
from torhaus.model.cost import NO_COSTS, Costs
from torhaus.model.health import Health
from torhaus.model.keeping import Standing
from torhaus.model.limits import Scarcity
from torhaus.model.outcome import Outcome
from torhaus.model.ports import CacheStats
from torhaus.model.publishing import Evidence
from torhaus.model.shipping import SinkState
from torhaus.model.stops import Stop, StopKind
from torhaus.watch import shipped, tiers, upstreams
from torhaus.watch.evidence import numbers
from torhaus.watch.labels import Known
from torhaus.watch.tally import BUCKETS, Tally

_BOUNDS = [*(str(bound) for bound in BUCKETS), "+Inf"]


class Gauges(msgspec.Struct, frozen=True, kw_only=True):
    """What is asked for when somebody looks; None: not shown. They must not raise."""

    audit_healthy: Callable[[], bool] | None = None
    audit_lost: Callable[[], int] | None = None
    evidence: Callable[[], Evidence] | None = None
    sessions: Callable[[], int] | None = None
    streams: Callable[[], int] | None = None
    waiting: Callable[[], int] | None = None
    state_healthy: Callable[[], bool] | None = None
    notices: Callable[[], Mapping[str, int]] | None = None
    cache: Callable[[], CacheStats] | None = None
    redis_up: Callable[[], bool] | None = None
    sinks: Callable[[], Sequence[SinkState]] | None = None
    audit_files: Callable[[], Standing] | None = None
    limits: Callable[[], Mapping[str, Scarcity]] | None = None
    upstreams: Callable[[], Mapping[str, Health]] | None = None
    overdue: Callable[[], int] | None = None
    stops: Callable[[], Sequence[Stop]] | None = None


class Metrics:
    """A `Meter`, and the page `/metrics`.

    Only tools in `known`, tools with hints and tools of the shipped tables become `method`
    labels: callers cannot make series at will. `also` is told of every finished call. `costs`: the
    prices in force, to be replaced with the rules.
    """

    def __init__(
        self,
        gauges: Gauges,
        known: Known = lambda _server: frozenset(),
        also: Callable[[Call, Outcome], None] | None = None,
        costs: Costs = NO_COSTS,
    ) -> None:
        self._known = known
        self._also = also
        self.costs = costs
        self._tallies: dict[str, Tally] = {}
        self.registry = CollectorRegistry()
        self.registry.register(_Numbers(self._tallies, gauges))
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)

    def ended(self, call: Call, outcome: Outcome, status: str, seconds: float) -> None:
        tally = self._tallies.get(call.server.name) or self._tally(call.server.name)
        tally.add(call, outcome, status, seconds, self._known)
        costs = self.costs
        if costs is not NO_COSTS and call.method in CHARGED:
            price = costs.price(call.server.name, call.operation)
            if price is not None:
                tally.pay(price, outcome)
        if self._also is not None:
            self._also(call, outcome)

    def redacted(self, server: str, counts: Mapping[str, int]) -> None:
        self._tally(server).mask(counts)

    def _tally(self, server: str) -> Tally:
        tally = self._tallies.get(server)
        if tally is None:
            tally = self._tallies[server] = Tally()
        return tally

    def render(self) -> tuple[bytes, str]:
        """The page and its content type. Any thread may call it: large pages take a while."""
        return generate_latest(self.registry), CONTENT_TYPE_LATEST


class _Numbers(Collector):
    def __init__(self, tallies: dict[str, Tally], gauges: Gauges) -> None:
        self._tallies = tallies
        self._gauges = gauges

    def describe(self) -> Iterable[Metric]:
        return ()  # spares asking the gauges before the house is built

    def collect(self) -> Iterator[Metric]:
        tallies = self._tallies.copy()
        yield _requests(tallies)
        yield _durations(tallies)
        yield _counter(tallies, "cache_hits", "Answers from the cache.", lambda t: t.hits)
        yield _counter(tallies, "cache_misses", "Lookups that found nothing.", lambda t: t.misses)
        yield _counter(
            tallies, "cache_coalesced", "Hits that waited for an equal call.", lambda t: t.coalesced
        )
        yield _counter(tallies, "cache_stale", "Hits older than their ttl.", lambda t: t.stale)
        yield _counter(tallies, "api_calls", "Requests sent to the server.", lambda t: t.api_calls)
        yield _saved(tallies)
        yield from _money(tallies)
        yield _redactions(tallies)
        yield _counter(tallies, "rate_limited", "Calls over a limit.", lambda t: t.limited)
        yield from _gauges(self._gauges)


def _requests(tallies: dict[str, Tally]) -> Metric:
    family = CounterMetricFamily(
        "mcp_gateway_requests",
        "Requests by tool or method, and by how they ended.",
        labels=("mcp_server", "method", "status"),
    )
    for server, tally in tallies.items():
        for (method, status), count in tally.requests.copy().items():
            family.add_metric((server, method, status), count)
    return family


def _redactions(tallies: dict[str, Tally]) -> Metric:
    family = CounterMetricFamily(
        "mcp_gateway_redactions",
        "What was masked in arguments, results and messages, by kind.",
        labels=("mcp_server", "kind"),
    )
    for server, tally in tallies.items():
        for kind, count in tally.masked.copy().items():
            family.add_metric((server, kind), count)
    return family


def _durations(tallies: dict[str, Tally]) -> Metric:
    family = HistogramMetricFamily(
        "mcp_gateway_request_duration_seconds",
        "Time from a request's arrival to its end.",
        labels=("mcp_server",),
    )
    for server, tally in tallies.items():
        counts = accumulate(tally.buckets.copy())
        buckets = list(zip(_BOUNDS, map(float, counts), strict=True))
        family.add_metric((server,), buckets, sum_value=tally.seconds)
    return family


def _counter(
    tallies: dict[str, Tally], name: str, help_text: str, of: Callable[[Tally], int]
) -> Metric:
    family = CounterMetricFamily(f"mcp_gateway_{name}", help_text, labels=("mcp_server",))
    for server, tally in tallies.items():
        family.add_metric((server,), of(tally))
    return family


def _saved(tallies: dict[str, Tally]) -> Metric:
    # A gauge because the product text prints the name without `_total`, which every counter has.
    family = GaugeMetricFamily(
        "mcp_gateway_api_calls_saved", "Requests the cache spared.", labels=("mcp_server",)
    )
    for server, tally in tallies.items():
        family.add_metric((server,), tally.saved)
    return family


def _money(tallies: dict[str, Tally]) -> Iterator[Metric]:
    labels = ("mcp_server", "currency")
    spent = CounterMetricFamily("mcp_gateway_cost", "What calls have cost.", labels=labels)
    kept = GaugeMetricFamily(
        "mcp_gateway_cost_saved", "What calls that the cache spared would cost.", labels=labels
    )
    for server, tally in tallies.items():
        for currency, amount in tally.spent.copy().items():
            spent.add_metric((server, currency), float(amount))
        for currency, amount in tally.kept.copy().items():
            kept.add_metric((server, currency), float(amount))
    yield spent
    yield kept


def _cache(stats: CacheStats) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "mcp_gateway_cache_evictions", "Answers dropped early, for room.", value=stats.evicted
    )
    yield GaugeMetricFamily(
        "mcp_gateway_cache_entries", "Answers kept in this process.", value=stats.entries
    )
    yield GaugeMetricFamily(
        "mcp_gateway_cache_bytes", "Memory they take, as it is counted.", value=stats.bytes
    )


def _gauges(gauges: Gauges) -> Iterator[Metric]:
    for name, help_text, ask in (
        ("audit_healthy", "1 while audit records can be written.", gauges.audit_healthy),
        ("active_sessions", "Sessions of legacy clients.", gauges.sessions),
        ("active_streams", "Open streams to clients.", gauges.streams),
        ("waiting_calls", "Calls kept waiting for approval.", gauges.waiting),
        ("state_healthy", "1 while the state database answers.", gauges.state_healthy),
        ("redis_up", "1 while the shared cache and counters answer.", gauges.redis_up),
    ):
        if ask is not None:
            yield GaugeMetricFamily(f"mcp_gateway_{name}", help_text, value=float(ask()))
    if gauges.audit_lost is not None:
        yield CounterMetricFamily(
            "mcp_gateway_audit_lost",
            "Calls that went on without an audit record.",
            value=gauges.audit_lost(),
        )
    if gauges.evidence is not None:
        yield from numbers(gauges.evidence())
    if gauges.audit_files is not None:
        yield from tiers.families(gauges.audit_files())
    if gauges.cache is not None:
        yield from _cache(gauges.cache())
    yield from _others(gauges)
    info = GaugeMetricFamily("mcp_gateway_build_info", "The running version.", labels=("version",))
    info.add_metric((__version__,), 1)
    yield info


def _others(gauges: Gauges) -> Iterator[Metric]:
    """Of what is behind the gate, and of where its news go."""
    if gauges.limits is not None:
        yield from _limits(gauges.limits())
    if gauges.overdue is not None:
        yield GaugeMetricFamily(
            "mcp_gateway_credentials_overdue",
            "Servers whose stored credentials are older than policy allows.",
            value=gauges.overdue(),
        )
    if gauges.upstreams is not None:
        yield from upstreams.families(gauges.upstreams())
    if gauges.sinks is not None:
        yield from shipped.families(gauges.sinks(), time.time())
    if gauges.notices is not None:
        yield _notices(gauges.notices())
    if gauges.stops is not None:
        yield _stops(gauges.stops(), time.time())


_SCARCITY = {
    "remaining": "Uses left to whoever has least.",
    "reset_seconds": "Seconds until whoever has least has more.",
    "exhausted": "Budgets of which nothing is left.",
}


def _limits(left: Mapping[str, Scarcity]) -> Iterator[Metric]:
    """By the limit alone: people are no labels."""
    for name, help_text in _SCARCITY.items():
        family = GaugeMetricFamily(f"mcp_gateway_limit_{name}", help_text, labels=("limit",))
        for limit, scarcity in left.items():
            family.add_metric((limit,), float(getattr(scarcity, name)))
        yield family


def _stops(stops: Sequence[Stop], now: float) -> Metric:
    """By kind alone: what is stopped is for `/status` and administrators."""
    family = GaugeMetricFamily(
        "torhaus_stops_active", "What the kill switch stops now.", labels=("kind",)
    )
    counts = Counter(each.kind for each in stops if each.holds(now))
    for kind in StopKind:
        family.add_metric((kind.value,), counts[kind])
    return family


def _notices(counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(
        "mcp_gateway_notices", "News for people, by what became of it.", labels=("outcome",)
    )
    for outcome, count in counts.items():
        family.add_metric((outcome,), count)
    return family
