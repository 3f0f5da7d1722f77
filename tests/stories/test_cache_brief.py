"""The product text's own story: Alice asks, Bob asks the same, somebody writes."""

import http.client
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.stories.town import KEYS, Town, server
from tests.stories.upstream import Upstream

REPO = {"owner": "myorg", "repo": "myrepo"}


class GitHub(Upstream):
    def names(self) -> list[str]:
        return ["list_issues", "get_repo_stats", "create_issue", "list_my_issues", "issue_read"]


@pytest.fixture(scope="module")
def github() -> Iterator[GitHub]:
    with GitHub() as one:
        yield one


@pytest.fixture(scope="module")
def gate(github: GitHub, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    config = {
        "mcpServers": {"github": server(github.url)},
        "roles": {
            "admin": {"permissions": ["*"]},
            "reader": {"permissions": ["*:read", "github:issues:write"]},
            "nobody": {"permissions": []},
        },
        "caching": {
            "github": {"list_issues": {"ttl": 300}, "issue_read": {"ttl": 60}},
            "github.list_my_issues": {"type": "user-specific", "ttl": 300},
        },
        "cache_invalidation": [
            {
                "trigger": "github.create_issue",
                "invalidate": ["github.list_issues", "github.get_repo_stats"],
            }
        ],
        "cost_tracking": [
            {
                "provider": "github",
                "cost_per_api_call": "0.001 €",
                "monthly_budget": "100 €",
                "alert_at": "80%",
            }
        ],
        "limits": [{"name": "reads", "requests": 50, "window": "1h"}],
    }
    with Town(config, tmp_path_factory.mktemp("brief")) as town:
        yield town


def api(gate: Town, method: str, path: str, who: str = "ALICE") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
    try:
        connection.request(method, path, headers={"authorization": f"Bearer {KEYS[f'{who}_KEY']}"})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


def metrics(gate: Town) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", gate.port, timeout=60)
    try:
        connection.request("GET", "/metrics")
        return connection.getresponse().read().decode()
    finally:
        connection.close()


def mark(answer: Any) -> dict[str, Any]:
    found = answer.message["result"]["_meta"]["torhaus/cache"]
    assert isinstance(found, dict)
    return found


def test_bob_gets_alices_answer_until_somebody_writes(gate: Town, github: GitHub) -> None:
    before = gate.count()
    with gate.caller("ALICE", server="github") as alice, gate.caller("BOB", server="github") as bob:
        bob.begin()
        first = alice.tool("list_issues", REPO)
        again = bob.tool("list_issues", REPO)

        assert len(github.calls("list_issues")) == 1
        assert again.message["result"]["content"] == first.message["result"]["content"]
        assert mark(first)["hit"] is False
        assert mark(again)["hit"] is True
        assert 290 <= mark(again)["expires"] <= 300
        records = [each for each in gate.new(before) if each["operation"] == "list_issues"]
        who = [(each["user"]["email"], each["result"]["cached"]) for each in records]
        assert who == [("alice@example.com", False), ("bob@example.com", True)]

        bob.tool("create_issue", {**REPO, "title": "x"})
        fresh = alice.tool("list_issues", REPO)

        assert mark(fresh)["hit"] is False
        assert len(github.calls("list_issues")) == 2


def test_savings_are_counted_in_calls_and_money(gate: Town, github: GitHub) -> None:
    with gate.caller("ALICE", server="github") as alice:
        for _ in range(5):
            alice.tool("issue_read", {**REPO, "issue_number": 1})

    page = metrics(gate)
    saved = re.search(r'^mcp_gateway_api_calls_saved\{mcp_server="github"\} (\d+)', page, re.M)
    assert saved is not None
    assert int(saved[1]) >= 4

    status, month = api(gate, "GET", "/api/v1/cost?by=tool")
    assert status == 200
    line = next(each for each in month["lines"] if each["name"] == "github.issue_read")
    assert (line["calls"], line["saved"]) == (1, 4)
    assert (line["spent"], line["kept"], line["currency"]) == ("0.001", "0.004", "EUR")


def test_a_user_specific_answer_is_for_one_user(gate: Town, github: GitHub) -> None:
    with gate.caller("ALICE", server="github") as alice, gate.caller("BOB", server="github") as bob:
        for caller in (alice, bob, alice, bob):
            caller.tool("list_my_issues", {})

    assert len(github.calls("list_my_issues")) == 2


def test_an_administrator_purges_as_the_product_text_prints_it(gate: Town, github: GitHub) -> None:
    with gate.caller("ALICE", server="github") as alice:
        alice.tool("list_issues", {"repo": "myorg/myrepo"})
        alice.tool("list_issues", {"repo": "myorg/other"})
        github.seen.clear()

        status, said = api(gate, "DELETE", "/cache/github/list_issues?repo=myorg/myrepo")
        alice.tool("list_issues", {"repo": "myorg/myrepo"})
        alice.tool("list_issues", {"repo": "myorg/other"})

    # One by its whole name, one that named owner and repository apart.
    assert (status, said["dropped"]) == (200, 2)
    assert len(github.calls("list_issues")) == 1


def test_nobody_else_purges(gate: Town) -> None:
    before = gate.count()

    status, said = api(gate, "DELETE", "/cache/github/list_issues", "BOB")

    assert (status, said["code"]) == (403, "not_allowed")
    assert gate.outcome(before) == [("cache.purged", "denied")]


def test_what_is_left_is_visible(gate: Town) -> None:
    status, limits = api(gate, "GET", "/api/v1/me/limits", "BOB")

    assert status == 200
    (found,) = limits
    assert found["limit"] == "reads: 50 calls per hour"
    assert 0 < found["remaining"] <= 50


def test_revoking_a_right_closes_the_cache(gate: Town, github: GitHub) -> None:
    with gate.caller("MALLORY", server="github") as mallory:
        refused = mallory.tool("list_issues", REPO)

    assert refused.message["result"]["isError"] is True
    assert "torhaus/verdict" in refused.message["result"]["_meta"]
