"""One dead server: its callers hear so at once, others notice nothing, and people can see it."""

import json
import re
import time
from pathlib import Path

from tests.ports import free_port
from tests.stories.town import Town, server
from tests.stories.upstream import Upstream

SOON = {"failures": 2, "wait": "100ms", "longest_wait": "100ms", "interval": "1s"}


def test_a_dead_server_is_told_and_checks_are_nobodys_calls(
    upstream: Upstream, tmp_path: Path
) -> None:
    config = {
        "mcpServers": {
            "scripted": server(upstream.url, health=SOON),
            "dead": server(f"http://127.0.0.1:{free_port()}/mcp", health=SOON),
        },
    }
    with Town(config, tmp_path) as town:
        before = town.count()
        with town.caller(server="dead") as caller:
            said = [caller.tool("get_note").text for _ in range(4)]
        with town.caller() as caller:
            fine = caller.tool("get_note")
        deadline = time.monotonic() + 60
        while 'checks_total{mcp_server="dead",outcome="failed"} 0' in (town.get("/metrics") or ""):
            assert time.monotonic() < deadline
        ready = json.loads(town.get("/ready") or "")
        page, numbers = town.get("/status") or "", town.get("/metrics") or ""
        records = town.count() - before

    assert "it is down since" in said[-1]
    assert "Connection refused" in said[-1]
    assert fine.status == 200
    assert ready["status"] == "ready"
    assert (ready["servers"]["dead"], ready["servers"]["scripted"]) == ("down", "ready")
    assert ready["unwell"]["dead"]["next_try"] is not None
    seen = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "cannot be reached since" in seen
    assert 'mcp_gateway_upstream_up{mcp_server="dead"} 0.0' in numbers
    assert 'mcp_gateway_upstream_up{mcp_server="scripted"} 1.0' in numbers
    assert records == 5
