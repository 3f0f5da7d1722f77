import pytest

from tests.torhaus.policy.people import ACME, SENTRY, alice, asked, call, server
from torhaus.policy.conditions import FACTS

NOW = 1_700_000_000.0
REPO = {"owner": "MyOrg", "repo": "api"}


def test_the_facts_are_those_a_condition_may_ask_for() -> None:
    found = asked(call("list_issues", REPO, client="cursor")).facts

    assert set(found) | {"hour", "weekday"} == set(FACTS)
    assert len(found) == len(FACTS) - 2
    assert dict(found) == {
        "user": "alice@example.org",
        "roles": ["developer"],
        "groups": [],
        "server": "github",
        "environment": "",
        "tool": "list_issues",
        "actions": ["read"],
        "types": ["issues"],
        "targets": ["myorg/api"],
        "tags": [],
        "args": REPO,
        "ip": "127.0.0.1",
        "client": "cursor",
        "now": NOW,
    }


def test_the_facts_of_a_dispatched_call_are_those_of_the_inner_one() -> None:
    outer = {"name": "find_dsns", "arguments": {"projectSlug": "web"}}
    by = alice("sentry:*", on="sentry")

    found = asked(call("execute_sentry_tool", outer, by=by, at=SENTRY)).facts

    assert found["tool"] == "find_dsns"
    assert found["args"] == {"projectSlug": "web"}
    assert found["targets"] == ["web"]
    assert found["tags"] == ["sensitive"]


@pytest.mark.parametrize(
    ("tool", "arguments", "says"),
    [
        ("list_issues", {"owner": "myorg"}, "^what the call is about cannot be told"),
        ("list_issues", {"owner": 7, "repo": "api"}, "`owner` must be text"),
        ("search_code", {"query": "x"}, "cannot be told"),
        ("frobnicate", REPO, "cannot be told"),
    ],
)
def test_targets_that_are_unknown_are_no_empty_list(
    tool: str, arguments: dict[str, object], says: str
) -> None:
    found = asked(call(tool, arguments)).facts

    with pytest.raises(ValueError, match=says):
        found["targets"]


def test_the_environment_is_the_servers() -> None:
    production = server("acme", environment="production")

    assert asked(call("x", at=production)).facts["environment"] == "production"
    assert asked(call("x", at=ACME)).facts["environment"] == ""


def test_what_nobody_classified_is_vague_and_unknown() -> None:
    assert (asked(call("frobnicate")).vague, asked(call("frobnicate")).unknown) == (True, True)
    assert (asked(call("list_issues")).vague, asked(call("list_issues")).unknown) == (False, False)
    assert asked(call("get_sentry_resource", at=SENTRY)).vague
