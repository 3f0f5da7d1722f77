"""The numbers of the servers behind the gate."""

from torhaus.model.health import UNUSED, Condition, Health
from torhaus.watch.metrics import Gauges, Metrics

DOWN = Health(
    state=Condition.DOWN,
    error="no connection to 10.0.0.1:80",
    p95=0.25,
    opened=2,
    checks=5,
    failed_checks=4,
)


def page() -> list[str]:
    known = {"github": DOWN, "jira": UNUSED}
    return Metrics(Gauges(upstreams=lambda: known)).render()[0].decode().splitlines()


def test_each_server_has_its_numbers() -> None:
    found = page()

    for line in (
        'mcp_gateway_upstream_up{mcp_server="github"} 0.0',
        'mcp_gateway_upstream_up{mcp_server="jira"} 1.0',
        'mcp_gateway_upstream_state{mcp_server="github",state="down"} 1.0',
        'mcp_gateway_upstream_state{mcp_server="github",state="ready"} 0.0',
        'mcp_gateway_upstream_state{mcp_server="jira",state="idle"} 1.0',
        'mcp_gateway_upstream_p95_seconds{mcp_server="github"} 0.25',
        'mcp_gateway_breaker_open_total{mcp_server="github"} 2.0',
        'mcp_gateway_upstream_checks_total{mcp_server="github",outcome="ok"} 1.0',
        'mcp_gateway_upstream_checks_total{mcp_server="github",outcome="failed"} 4.0',
    ):
        assert line in found


def test_what_went_wrong_is_no_label() -> None:
    assert "10.0.0.1" not in "\n".join(page())
