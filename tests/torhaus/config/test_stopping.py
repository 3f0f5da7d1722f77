"""Stops laid over rules."""

from typing import Any

from tests.torhaus.asked import server
from torhaus.config.stopping import with_stops
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop, StopKind

RULES = Rules(version="1", servers={"github": server(), "jira": server("jira")})


def stop(kind: StopKind, target: str, **more: Any) -> Stop:
    base: dict[str, Any] = {"id": "s", "reason": "r", "created": 1.0, "created_by": "d"}
    return Stop(kind=kind, target=target, **{**base, **more})


def test_stops_stand_at_their_servers() -> None:
    whole, tool = stop(StopKind.SERVER, "github"), stop(StopKind.TOOL, "jira/create_issue")
    rules = with_stops(RULES, [whole, tool])

    assert rules.servers["github"].stops == (whole,)
    assert rules.servers["jira"].stops == (tool,)
    assert rules is not RULES


def test_where_nothing_changes_the_rules_are_the_same() -> None:
    user = stop(StopKind.USER, "alice@example.org")
    stopped = with_stops(RULES, [stop(StopKind.SERVER, "github")])

    assert with_stops(RULES, [user]) is RULES
    assert with_stops(stopped, [stop(StopKind.SERVER, "github")]) is stopped
    assert stopped.servers["jira"] is RULES.servers["jira"]


def test_a_lifted_stop_leaves_the_server_as_it_was() -> None:
    stopped = with_stops(RULES, [stop(StopKind.SERVER, "github")])

    assert with_stops(stopped, []).servers["github"] == RULES.servers["github"]
