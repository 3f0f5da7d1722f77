"""Numbers about the proof of the audit log."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric

from torhaus.model.publishing import Evidence


def numbers(found: Evidence) -> Iterator[Metric]:
    """Keepers are told apart by place in the list and kind, so that no path becomes a label."""
    yield GaugeMetricFamily(
        "mcp_gateway_audit_evidence_ok",
        "1 while nothing is known to be wrong with the proof of the audit log.",
        value=float(found.trouble is None),
    )
    heads = CounterMetricFamily(
        "mcp_gateway_audit_heads",
        "Heads of the audit log's journal, by who should keep them and what became of it.",
        labels=("keeper", "outcome"),
    )
    last = GaugeMetricFamily(
        "mcp_gateway_audit_head_last",
        "When a head was kept last, in Unix seconds; 0 for never.",
        labels=("keeper",),
    )
    for number, each in enumerate(found.published, 1):
        label = f"{number} {each.name.partition(' ')[0]}"
        heads.add_metric((label, "kept"), each.sent)
        heads.add_metric((label, "failed"), each.failed)
        last.add_metric((label,), each.last or 0.0)
    yield heads
    yield last
