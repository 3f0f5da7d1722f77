"""The numbers of the sinks of the audit log, for Prometheus."""

from collections.abc import Iterator, Sequence

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from torhaus.audit.lag import seconds
from torhaus.model.shipping import SinkState


def families(states: Sequence[SinkState], now: float) -> Iterator[Metric]:
    """Nothing without sinks. `now`: Unix seconds."""
    if not states:
        return
    for name, text, counts in (
        ("delivered", "Audit records a sink has taken.", [each.delivered for each in states]),
        ("failures", "Deliveries that failed and come again.", [each.failed for each in states]),
        ("rejected", "Audit records set aside, refused.", [each.refused for each in states]),
    ):
        counter = CounterMetricFamily(f"mcp_gateway_audit_sink_{name}", text, labels=("sink",))
        for state, count in zip(states, counts, strict=True):
            counter.add_metric((state.name,), count)
        yield counter
    for name, text, values in (
        ("lag_seconds", "Age of the oldest record to deliver.", [seconds(s, now) for s in states]),
        ("lag_records", "Audit records to deliver.", [float(each.behind) for each in states]),
        ("up", "0 while deliveries fail.", [float(s.state != "failing") for s in states]),
    ):
        gauge = GaugeMetricFamily(f"mcp_gateway_audit_sink_{name}", text, labels=("sink",))
        for state, value in zip(states, values, strict=True):
            gauge.add_metric((state.name,), value)
        yield gauge
