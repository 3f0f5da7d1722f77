from typing import Any

import pytest

from tests.torhaus.policy.people import SENTRY, alice, call, server
from torhaus.model.access import Access, Permission, TagDeny
from torhaus.model.servers import ToolClass
from torhaus.model.verdict import Allow, Deny, Step
from torhaus.policy.conditions import compile_condition
from torhaus.policy.decide import decide

NOW = 1_700_000_000.0


def deny(kind: str, action: str, when: str | None = None) -> dict[str, Any]:
    condition = None if when is None else compile_condition(when)
    return {"denies": (Permission("github", kind, action, "developer: no_it", condition),)}


@pytest.mark.parametrize(
    ("denied", "tool", "arguments", "refused"),
    [
        (deny("*", "delete"), "delete_file", {}, True),
        (deny("*", "delete"), "create_issue", {}, False),
        (deny("*", "delete"), "label_write", {"method": "delete"}, True),
        (deny("*", "delete"), "label_write", {"method": "create"}, False),
        (deny("*", "*"), "list_issues", {}, True),
        (deny("issues", "*"), "list_issues", {}, True),
        (deny("issues", "*"), "list_branches", {}, False),
        # What belongs to a type is denied with it, as it is allowed with it.
        (deny("issues", "write"), "label_write", {"method": "create"}, True),
        (deny("repos", "delete"), "delete_file", {}, True),
        (deny("repos", "admin"), "create_repository", {}, True),
        (deny("labels", "write"), "create_issue", {}, False),
        # What nobody classified may be just that.
        (deny("repos", "admin"), "frobnicate", {}, True),
        (deny("issues", "write"), "frobnicate", {}, True),
        (deny("issues", "write"), "create_gizmo", {}, True),
        (deny("issues", "write"), "get_gizmo", {}, False),
        # A condition that cannot be told forbids.
        (deny("*", "read", 'args.state == "open"'), "list_issues", {"state": "open"}, True),
        (deny("*", "read", 'args.state == "open"'), "list_issues", {"state": "closed"}, False),
        (deny("*", "read", 'args.state == "open"'), "list_issues", {}, True),
    ],
)
def test_a_deny_wins_over_every_permission(
    denied: dict[str, Any], tool: str, arguments: dict[str, Any], *, refused: bool
) -> None:
    by = alice("github:*", "*", **denied)

    verdict = decide(call(tool, arguments, by=by), NOW)

    if refused:
        assert isinstance(verdict, Deny)
        assert (verdict.rule, verdict.code) == ("developer: no_it", "denied")
        assert "alice@example.org" in verdict.reason
    else:
        assert isinstance(verdict, Allow)


def test_of_several_actions_one_that_is_denied_is_enough() -> None:
    by = alice(
        "sentry:*", on="sentry", denies=(Permission("sentry", "projects", "delete", "no_delete"),)
    )

    verdict = decide(call("remove_team_from_project", by=by, at=SENTRY), NOW)

    assert isinstance(verdict, Deny)
    assert "is a delete action on projects, which no_delete forbids" in verdict.reason


# The order of a set changes with every process; of eight pairs one would come out wrong.
PAIRS = ("ab", "cd", "ef", "gh", "ij", "kl", "mn", "op", "abcdefgh", "ijklmnop")


def test_of_several_that_are_denied_everybody_is_told_the_same() -> None:
    everything = (Permission("acme", "*", "*", "nothing"),)
    by = alice("acme:*", on="acme", denies=everything)

    for letters in PAIRS:
        row = ToolClass(actions=frozenset(letters), type="things")
        verdict = decide(call("x", by=by, at=server("acme", classes={"x": row})), NOW)

        assert f" {letters[0]} action on things, which nothing forbids" in verdict.reason


def test_a_call_that_may_be_about_any_type_meets_the_denies_of_each() -> None:
    denies = (Permission("sentry", "events", "read", "no_events"),)
    by = alice("sentry:*", on="sentry", denies=denies)

    assert isinstance(decide(call("get_sentry_resource", by=by, at=SENTRY), NOW), Deny)

    whatever = (Permission("sentry", "events", "*", "no_events"),)
    by = alice("sentry:*", on="sentry", denies=whatever)
    assert isinstance(decide(call("get_sentry_resource", by=by, at=SENTRY), NOW), Deny)
    assert isinstance(decide(call("create_gizmo", by=by, at=SENTRY), NOW), Deny)
    assert isinstance(decide(call("whoami", by=by, at=SENTRY), NOW), Allow)


@pytest.mark.parametrize(
    ("tool", "refused"),
    [
        ("list_secret_scanning_alerts", True),
        ("get_team_members", True),
        ("list_issues", False),
        ("create_gist", False),
        ("frobnicate", True),
        ("get_gizmo", False),
    ],
)
def test_sensitive_and_personal_data_stay_where_they_are(tool: str, *, refused: bool) -> None:
    tags = (TagDeny(frozenset({"sensitive", "personal"}), "contractor: no_sensitive_data"),)

    verdict = decide(call(tool, by=alice("github:*", tags=tags)), NOW)

    assert isinstance(verdict, Deny) is refused
    if isinstance(verdict, Deny):
        assert (verdict.rule, verdict.code) == ("contractor: no_sensitive_data", "denied_tag")


def test_without_denies_and_tags_nothing_is_traced_of_them() -> None:
    trace: list[Step] = []
    decide(call("list_issues", by=alice("github:read")), NOW, trace)

    assert [each.step for each in trace] == ["caller", "class", "grants", "verdict"]


def test_nor_of_requests_that_are_open() -> None:
    tags = (TagDeny(frozenset({"sensitive"}), "no_sensitive_data"),)
    by = alice("github:read", tags=tags, **deny("*", "*"))
    trace: list[Step] = []
    decide(call("ping", by=by, method="ping"), NOW, trace)

    assert [each.step for each in trace] == ["caller", "class", "verdict"]


@pytest.mark.parametrize("method", ["initialize", "tools/list", "ping", "subscriptions/listen"])
def test_requests_that_are_open_are_not_denied(method: str) -> None:
    tags = (TagDeny(frozenset({"sensitive"}), "no_sensitive_data"),)
    by = alice("github:read", tags=tags, **deny("*", "*"))

    assert isinstance(decide(call(method, by=by, method=method), NOW), Allow)


@pytest.mark.parametrize("method", ["resources/read", "prompts/get", "tasks/get", "acme/extension"])
def test_other_requests_are_denied_like_tools(method: str) -> None:
    by = alice("github:*", **deny("*", "*"))

    assert isinstance(decide(call(method, by=by, method=method), NOW), Deny)


def test_a_thousand_denies_about_something_else_are_not_walked() -> None:
    class Counting:
        text = "counted"
        asked = 0

        def holds(self, facts: object) -> bool:
            Counting.asked += 1
            return False

    denies = tuple(Permission("github", "teams", "admin", f"r{n}", Counting()) for n in range(1000))
    decide(call("list_issues", by=alice("github:read", denies=denies)), NOW)

    assert Counting.asked == 0
    assert Access(denies=denies).denies == denies
