"""The numbers of the servers behind the gate, for Prometheus."""

from collections.abc import Iterator, Mapping

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from torhaus.model.health import Condition, Health

UNUSABLE = (Condition.DOWN, Condition.REFUSED)


def families(known: Mapping[str, Health]) -> Iterator[Metric]:
    up = GaugeMetricFamily(
        "mcp_gateway_upstream_up",
        "0 while the server is down or refuses the gateway's credential.",
        labels=("mcp_server",),
    )
    state = GaugeMetricFamily(
        "mcp_gateway_upstream_state",
        "1 for the state the server is in.",
        labels=("mcp_server", "state"),
    )
    p95 = GaugeMetricFamily(
        "mcp_gateway_upstream_p95_seconds",
        "95 of 100 calls took at most this long, over 256 calls and 5 minutes at most.",
        labels=("mcp_server",),
    )
    for server, health in known.items():
        up.add_metric((server,), float(health.state not in UNUSABLE))
        for each in Condition:
            state.add_metric((server, each), float(each is health.state))
        if health.p95 is not None:
            p95.add_metric((server,), health.p95)
    yield from (up, state, p95)
    yield from _counters(known)


def _counters(known: Mapping[str, Health]) -> Iterator[Metric]:
    opened = CounterMetricFamily(
        "mcp_gateway_breaker_open", "How often the server was found down.", labels=("mcp_server",)
    )
    checks = CounterMetricFamily(
        "mcp_gateway_upstream_checks",
        "Checks of the server, by how they ended.",
        labels=("mcp_server", "outcome"),
    )
    for server, health in known.items():
        opened.add_metric((server,), health.opened)
        checks.add_metric((server, "ok"), health.checks - health.failed_checks)
        checks.add_metric((server, "failed"), health.failed_checks)
    yield from (opened, checks)
