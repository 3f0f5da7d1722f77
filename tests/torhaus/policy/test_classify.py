from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.torhaus.policy.people import ACME, GITHUB, SENTRY, server
from torhaus.model.servers import ToolClass
from torhaus.policy.classify import (
    Classified,
    classify,
    depends_on_arguments,
    possible,
)
from torhaus.policy.classify import (
    row as row_of,
)
from torhaus.policy.globs import compile_glob
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
    found = classify(GITHUB, "label_write", {"method": "delete"}, {})

    assert (found.actions, found.arguments) == ({"delete"}, {"method": "delete"})
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

    found = classify(house, "frobnicate", {"a": 1}, {"readOnlyHint": False})

    assert found == Classified(
        actions=frozenset({"read"}),
        type="issues",
        tool="frobnicate",
        source="config",
        row=said,
        arguments={"a": 1},
    )


@given(st.text(max_size=200))
def test_any_name_has_a_class(tool: str) -> None:
    does = classify(ACME, tool, {}, {})

    assert does.actions
    assert list(possible(ACME, tool, {})) == [does]


TAGGED = ToolClass(
    actions=frozenset({"admin"}),
    type="teams",
    tags=frozenset({"personal"}),
    source="config",
    method_arg="how",
    method_actions={"make": "write", "drop": "delete"},
    pinned=(("url", "https://.*"),),
)
OUTER = ToolClass(actions=frozenset(), type="*", dispatch=("name", "arguments"), source="config")
HOUSE = server("acme", classes={"team": TAGGED, "run": OUTER})


@pytest.mark.parametrize(
    ("tool", "arguments", "problem"),
    [
        ("team", {}, "`team` needs `how` spelled as one of `make`, `drop`"),
        ("team", {"url": "ftp://x"}, "`team` may not choose this `url`; leave it out"),
        ("run", {"Name": "x"}, "`run` has an argument twice in different case"),
        ("run", {"name": "team", "ARGUMENTS": {}}, "`run` has an argument twice in different case"),
        ("run", {}, "`run` needs `name` as text and `arguments` as an object"),
        ("run", {"name": "Run"}, "`run` may not run `Run` in turn"),
    ],
)
def test_a_problem_is_a_sentence_and_keeps_what_is_known_of_the_tool(
    tool: str, arguments: dict[str, Any], problem: str
) -> None:
    known = HOUSE.classes[tool]

    assert classify(HOUSE, tool, arguments, {}) == Classified(
        actions=frozenset(),
        type=known.type,
        tool=tool,
        tags=known.tags,
        source="config",
        problem=problem,
    )


def test_a_dispatcher_may_not_choose_what_is_pinned() -> None:
    outer = msgspec.structs.replace(OUTER, pinned=TAGGED.pinned)
    found = classify(server("acme", classes={"run": outer}), "run", {"url": 7}, {})

    assert (found.tool, found.problem) == ("run", "`run` may not choose this `url`; leave it out")


@pytest.mark.parametrize(
    ("inner", "action", "source"),
    [("get_widget", "read", "name"), ("frobnicate", "unknown", "unknown")],
)
def test_a_dispatcher_of_what_no_table_knows_goes_by_its_name(
    inner: str, action: str, source: str
) -> None:
    asked = {"name": inner, "arguments": {"a": 1}}

    # The hints are those of the outer tool, and say nothing of the inner one.
    found = classify(HOUSE, "run", asked, {"readOnlyHint": False})

    assert (found.actions, found.tool, found.source) == ({action}, inner, source)
    assert found.arguments == {"a": 1}
    assert found == classify(HOUSE, inner, {"a": 1}, {})


@pytest.mark.parametrize(
    ("tool", "depends"),
    [
        ("team", True),
        ("TEAM", True),
        ("run", True),
        ("pinned", True),
        ("plain", False),
        ("frobnicate", False),
    ],
)
def test_only_some_tools_are_judged_by_their_arguments(tool: str, *, depends: bool) -> None:
    plain = ToolClass(actions=frozenset({"read"}), type="x")
    pinned = msgspec.structs.replace(plain, pinned=TAGGED.pinned)
    method = msgspec.structs.replace(TAGGED, pinned=())
    classes = {"team": method, "run": OUTER, "pinned": pinned, "plain": plain}

    assert depends_on_arguments(server("acme", classes=classes), tool) is depends


def test_everything_a_tool_might_do_is_told_with_what_is_known_of_it() -> None:
    absent = msgspec.structs.replace(TAGGED, method_absent="read", source="table")
    house = server("acme", classes={"team": absent, "run": OUTER})

    found = list(possible(house, "team", {"readOnlyHint": False}))

    assert [each.actions for each in found] == [{"delete"}, {"write"}, {"write"}]
    assert {(each.tool, each.type, each.row is absent) for each in found} == {
        ("team", "teams", True)
    }
    assert all(each.arguments == {} for each in found)
    # Of a tool that runs others, everything those do; the hints are not theirs.
    assert [each.actions for each in possible(house, "run", {"readOnlyHint": False})] == [
        {"delete"},
        {"read"},
        {"write"},
    ]
    assert {each.tool for each in possible(house, "run", {})} == {"run"}
    (plain,) = possible(GITHUB, "list_issues", {})
    assert (plain.tool, plain.arguments) == ("list_issues", {})


@pytest.mark.parametrize(
    ("name", "action"),
    [("get_" + "a" * 124, "read"), ("get_" + "a" * 125, "unknown")],
)
def test_a_name_of_more_than_128_characters_says_nothing(name: str, action: str) -> None:
    assert classify(ACME, name, {}, {}).actions == {action}


@pytest.mark.parametrize(
    "shadow", ["Status", "\uff53tatus", "status\0", "\u017ftatu\u017f", "sta\0tus"]
)
def test_an_argument_that_decides_has_one_spelling(shadow: str) -> None:
    """Some readers take `status\0` or a full-width letter for the name itself (targets.py)."""
    does = classify(SENTRY, "update_issue", {"issueId": "A-1", shadow: "resolved"}, {})

    assert does.problem is not None


@pytest.mark.parametrize("shadow", ["RegionUrl", "regionUrl\0", "\uff52egionUrl"])
def test_a_pinned_argument_has_one_spelling(shadow: str) -> None:
    does = classify(SENTRY, "find_projects", {shadow: "https://evil.example"}, {})

    assert does.problem is not None


def test_of_selectors_the_first_that_fits_is_asked_after_the_names() -> None:
    one, other = (ToolClass(actions=frozenset({"read"}), type=kind) for kind in ("one", "other"))
    chosen = ((compile_glob("get*"), one), (compile_glob("getx*"), other))
    house = server("acme", classes={"getit": other}, selectors=chosen)

    assert row_of(house, "get_it") is other
    assert row_of(house, "getX") is one
    assert row_of(house, "zzz") is None
    assert row_of(house, "get" + "a" * 125) is one
    assert row_of(house, "get" + "a" * 126) is None
    assert row_of(server("acme", classes={}), "get_it") is None
