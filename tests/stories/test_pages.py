"""The pages for machines and people who ask how the gateway is."""

import json
from pathlib import Path

from tests.stories.town import Town, server
from tests.stories.upstream import Upstream

NAMES = (
    "mcp_gateway_requests_total",
    "mcp_gateway_request_duration_seconds",
    "mcp_gateway_cache_hits_total",
    "mcp_gateway_cache_misses_total",
    "mcp_gateway_api_calls_total",
    "mcp_gateway_api_calls_saved",
)


def test_health_is_what_the_product_text_prints(town: Town) -> None:
    with town.caller() as caller:
        caller.target = "/health"
        answer = caller.ask(b"", method="GET")

    assert answer.status == 200
    assert answer.body == b'{"status": "healthy"}'
    assert answer.headers["content-type"] == "application/json"


def test_metrics_have_the_names_of_the_product_text(town: Town) -> None:
    with town.caller(server="cached") as caller:
        caller.tool("get_note", {"for": "metrics"})
        caller.tool("get_note", {"for": "metrics"})

    page = town.get("/metrics") or ""

    for name in NAMES:
        assert f"{name}{{" in page or f"{name}_count{{" in page, name
    assert 'method="get_note"' in page


def test_metrics_do_not_grow_with_what_strangers_make_up(town: Town) -> None:
    with town.caller() as caller:
        for number in range(50):
            caller.tool(f"made_up_{number}")
            caller.target = f"/mcp/made-up-{number}"
            caller.tool("get_note")
            caller.target = "/mcp/scripted"

    assert "made" not in (town.get("/metrics") or "").replace("process_", "")


def test_metrics_are_closed_to_other_networks(upstream: Upstream, home: Path) -> None:
    config = {
        "server": {"metrics_networks": ["10.0.0.0/8"]},
        "mcpServers": {"scripted": server(upstream.url)},
    }
    with Town(config, home) as town, town.caller() as caller:
        caller.target = "/metrics"

        assert caller.ask(b"", method="GET").status == 403


def test_metrics_are_closed_to_whom_a_proxy_lets_through(town: Town) -> None:
    """The peer of a proxied request is the proxy, whoever asks."""
    for header in ("x-forwarded-for", "forwarded", "x-real-ip"):
        with town.caller() as caller:
            caller.target = "/metrics"
            answer = caller.ask(b"", {header: "127.0.0.1"}, "GET")

        assert answer.status == 403, header


def test_ready_names_the_servers_and_no_addresses(town: Town, upstream: Upstream) -> None:
    with town.caller() as caller:
        caller.tool("get_note")

    page = town.get("/ready") or ""

    ready = json.loads(page)
    assert ready["status"] == "ready"
    assert ready["servers"]["scripted"] == "ready"
    assert str(upstream.port) not in page


def test_the_status_page_is_for_people_and_runs_nothing(town: Town) -> None:
    with town.caller(server="down") as caller:
        caller.tool("get_note")
        caller.target = "/status"
        answer = caller.ask(b"", method="GET")

    page = answer.body.decode()
    assert answer.headers["content-type"].startswith("text/html")
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    assert "scripted" in page
    assert "its last calls failed" in page or "cannot be reached" in page
    assert "<script" not in page
    assert "127.0.0.1" not in page
