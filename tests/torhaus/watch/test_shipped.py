"""The numbers of the sinks."""

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from torhaus.model.shipping import SinkState
from torhaus.watch.metrics import Gauges, Metrics
from torhaus.watch.shipped import families

NOON = 1_767_268_800.0
STATES = [
    SinkState(
        name="siem",
        state="failing",
        delivered=10,
        failed=2,
        refused=1,
        behind=5,
        oldest="2026-01-01T11:59:00.000Z",
    ),
    SinkState(name="search", state="idle"),
]


class Page(Collector):
    def collect(self) -> list[Metric]:
        return [*families(STATES, NOON)]


def test_each_sink_has_its_numbers() -> None:
    registry = CollectorRegistry()
    registry.register(Page())

    page = generate_latest(registry).decode().splitlines()

    assert 'mcp_gateway_audit_sink_delivered_total{sink="siem"} 10.0' in page
    assert 'mcp_gateway_audit_sink_failures_total{sink="siem"} 2.0' in page
    assert 'mcp_gateway_audit_sink_rejected_total{sink="siem"} 1.0' in page
    assert 'mcp_gateway_audit_sink_lag_seconds{sink="siem"} 60.0' in page
    assert 'mcp_gateway_audit_sink_lag_records{sink="siem"} 5.0' in page
    assert 'mcp_gateway_audit_sink_up{sink="siem"} 0.0' in page
    assert 'mcp_gateway_audit_sink_up{sink="search"} 1.0' in page


def test_without_sinks_there_are_none() -> None:
    assert [*families([], NOON)] == []


def test_they_are_on_the_page_of_the_gateway() -> None:
    page, _ = Metrics(Gauges(sinks=lambda: STATES)).render()

    assert b'mcp_gateway_audit_sink_lag_records{sink="siem"} 5.0' in page
