"""The numbers of the audit log's files, for Prometheus."""

import time
from collections.abc import Callable, Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from torhaus.model.keeping import Shelved, Standing

SEGMENTS = "segments"
"""Stands for a tier: sealed segments that are no day files yet."""

_NUMBERS: tuple[tuple[str, str, Callable[[Shelved], int]], ...] = (
    ("files", "Files with audit records.", lambda each: each.files),
    ("records", "Audit records, but for those being written.", lambda each: each.records),
    ("bytes", "Octets of audit records, as they are stored.", lambda each: each.octets),
)


def families(standing: Standing, clock: Callable[[], float] = time.time) -> Iterator[Metric]:
    shelved = {SEGMENTS: standing.waiting, **standing.tiers}
    for name, text, of in _NUMBERS:
        family = GaugeMetricFamily(f"mcp_gateway_audit_{name}", text, labels=("tier",))
        for tier, each in shelved.items():
            family.add_metric((tier,), of(each))
        yield family
    age = 0.0 if standing.oldest is None else max(0.0, clock() - standing.oldest)
    yield GaugeMetricFamily(
        "mcp_gateway_audit_uncompacted_age_seconds",
        "Age of the oldest sealed segment that is no day file yet.",
        value=age,
    )
    yield GaugeMetricFamily(
        "mcp_gateway_audit_broken_segments",
        "Segments that are not what was written to them.",
        value=standing.broken,
    )
    yield GaugeMetricFamily(
        "mcp_gateway_audit_upkeep_healthy",
        "1 while audit records are moved and ended as configured.",
        value=float(standing.trouble is None),
    )
    failures = CounterMetricFamily(
        "mcp_gateway_audit_upkeep_failures",
        "Steps of the work on audit files that failed.",
        labels=("step",),
    )
    for step, count in standing.failures.items():
        failures.add_metric((step,), count)
    yield failures
