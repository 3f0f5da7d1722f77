from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.policy.people import ACME, GITHUB, SENTRY, server
from torhaus.model.servers import ToolClass
from torhaus.policy.classify import classify, possible
from torhaus.policy.tables import TABLES, Table

HINTS = st.fixed_dictionaries(
    {}, optional={"readOnlyHint": st.booleans(), "destructiveHint": st.booleans()}
)


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.title)
def test_every_shipped_tool_is_classified_by_its_row(table: Table) -> None:
    house = server(table.title)
    for name, row in table.tools.items():
        if row.dispatch is not None:
            continue
        for value, action in row.method_actions.items() or [("", None)]:
            does = classify(house, name, {row.method_arg or "x": value}, {})
            assert does.problem is None
            assert does.actions == (row.actions if action is None else {action})
            assert (does.type, does.tags, does.source) == (row.type, row.tags, "table")


@pytest.mark.parametrize("tool", ["list_issues", "listIssues", "LIST_ISSUES"])
def test_spelling_does_not_change_the_class(tool: str) -> None:
    assert classify(GITHUB, tool, {}, {}).type == "issues"


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"method": "explode"},
        {"method": "Delete"},
        {"method": " delete"},
        {"method": None},
        {"method": 1},
        {"method": ["create"]},
        {"method": {"create": 1}},
        {"Method": "create"},
        {"method": "create", "METHOD": "delete"},
    ],
)
def test_a_method_that_cannot_be_read_exactly_is_a_problem(arguments: dict[str, Any]) -> None:
    does = classify(GITHUB, "label_write", arguments, {})

    assert does.problem is not None
    assert does.actions == frozenset()


def test_the_method_decides_the_action() -> None:
    assert classify(GITHUB, "label_write", {"method": "delete"}, {}).actions == {"delete"}
    assert classify(SENTRY, "update_issue", {"status": "resolved"}, {}).actions == {"resolve"}
    assert classify(SENTRY, "update_issue", {}, {}).actions == {"write"}


def test_a_dispatcher_is_judged_by_the_tool_it_runs() -> None:
    asked = {"name": "remove_team_from_project", "arguments": {}}

    does = classify(SENTRY, "execute_sentry_tool", asked, {"destructiveHint": True})

    assert does.actions == {"admin", "delete"}
    assert does.tool == "remove_team_from_project"


@pytest.mark.parametrize(
    "asked",
    [
        {"name": "execute_sentry_tool", "arguments": {"name": "whoami"}},
        {"name": "executeSentryTool", "arguments": {"name": "whoami"}},
        {"arguments": {}},
        {"name": 1},
        {"name": "whoami", "arguments": "{}"},
        {"name": "whoami", "arguments": None},
        {"name": "whoami", "Name": "delete_uptime_monitor"},
        {"name": "update_issue", "arguments": {"status": "exploded"}},
    ],
)
def test_a_dispatcher_that_cannot_be_followed_is_a_problem(asked: dict[str, Any]) -> None:
    assert classify(SENTRY, "execute_sentry_tool", asked, {}).problem is not None


@pytest.mark.parametrize(
    ("region", "fine"),
    [
        ("https://us.sentry.io", True),
        ("https://sentry.io", True),
        (None, True),
        ("https://sentry.io.evil.example", False),
        ("https://evilsentry.io", False),
        ("https://us.sentry.io\n", False),
        (" https://us.sentry.io", False),
        ("http://us.sentry.io", False),
        ("https://us.sentry.io@evil.example", False),
        (7, False),
    ],
)
def test_nobody_chooses_where_sentrys_token_goes(region: object, fine: bool) -> None:
    plain = classify(SENTRY, "whoami", {"regionUrl": region}, {})
    inner = {"name": "whoami", "arguments": {"regionUrl": region}}
    dispatched = classify(SENTRY, "execute_sentry_tool", inner, {})

    outside = classify(SENTRY, "execute_sentry_tool", {"name": "whoami", "regionUrl": region}, {})

    assert (plain.problem is None) is fine
    assert (dispatched.problem is None) is fine
    assert (outside.problem is None) is fine


@pytest.mark.parametrize("spelt", ["RegionUrl", "regionURL", "REGIONURL"])
def test_nor_in_another_spelling(spelt: str) -> None:
    evil = {spelt: "https://evil.example"}
    asked = classify(SENTRY, "whoami", evil, {})
    beside = classify(SENTRY, "whoami", {"regionUrl": "https://sentry.io", **evil}, {})

    assert asked.problem is not None
    assert beside.problem is not None


@pytest.mark.parametrize(
    ("where", "tool", "hints", "action"),
    [
        (GITHUB, "list_issues", {"readOnlyHint": False}, "write"),
        (GITHUB, "list_issues", {"destructiveHint": True}, "read"),
        (GITHUB, "list_issues", {"readOnlyHint": "false"}, "read"),
        (GITHUB, "delete_file", {"readOnlyHint": True}, "delete"),
        (ACME, "get_thing", {}, "read"),
        (ACME, "get_thing", {"readOnlyHint": False}, "write"),
        (ACME, "get_thing", {"destructiveHint": True}, "write"),
        (ACME, "get_thing", {"readOnlyHint": True, "destructiveHint": True}, "write"),
        (ACME, "frobnicate", {"readOnlyHint": True}, "unknown"),
    ],
)
def test_hints_only_raise(where: Any, tool: str, hints: dict[str, Any], action: str) -> None:
    assert classify(where, tool, {}, hints).actions == {action}


@given(tool=st.sampled_from(["get_thing", "delete_thing", "frobnicate", "add_x"]), hints=HINTS)
def test_no_hint_makes_a_reader(tool: str, hints: dict[str, bool]) -> None:
    plain = classify(ACME, tool, {}, {}).actions

    assert classify(ACME, tool, {}, hints).actions in ({"write"}, plain)
    assert classify(ACME, tool, {}, hints).actions != {"read"} or plain == {"read"}


def test_an_administrators_word_is_final() -> None:
    said = ToolClass(actions=frozenset({"read"}), type="issues", source="config")
    house = server("acme", classes={"frobnicate": said})

    assert classify(house, "frobnicate", {}, {"readOnlyHint": False}).actions == {"read"}


@given(st.text(max_size=200))
def test_any_name_has_a_class(tool: str) -> None:
    does = classify(ACME, tool, {}, {})

    assert does.actions
    assert list(possible(ACME, tool, {})) == [does]
