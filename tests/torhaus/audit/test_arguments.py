from typing import Any

import msgspec
import pytest

from tests.torhaus.audit.scene import GITHUB, call
from torhaus.audit.arguments import MAX_ITEMS, MAX_SELECTOR, arguments, selected
from torhaus.model.auditing import WHOLE, Extent, Recorded
from torhaus.model.servers import Server, TargetArgs, ToolClass

CLASSES = {
    "createissue": ToolClass(
        actions=frozenset({"write"}),
        type="issues",
        targets=(TargetArgs(kind="repos", args=("owner", "repo"), either=("repoUrl",)),),
        method_arg="action",
    ),
    "run": ToolClass(
        actions=frozenset({"write"}),
        type="*",
        dispatch=("name", "arguments"),
        pinned=(("at", "x"),),
    ),
}
HELD = {"owner": "myorg", "repo": "api", "title": "secret plans", "body": "x" * 500}


def server(default: Extent, **tools: Extent) -> Server:
    recorded = Recorded(default=default, tools=tools, whole=False)
    return msgspec.structs.replace(GITHUB, classes=CLASSES, recorded=recorded)


def seen(at: Server, tool: str, held: Any) -> Any:
    payload = msgspec.json.encode(held)
    return msgspec.json.decode(arguments(call(server=at, operation=tool, payload=payload)))


def test_in_full_the_payload_is_spliced_in_as_it_is():
    assert GITHUB.recorded is WHOLE
    assert bytes(arguments(call(payload=b'{ "a":1.10}'))) == b'{ "a":1.10}'


def test_selectors_say_what_a_call_is_about_and_how_much_is_left_out():
    assert seen(server(Extent.SELECTORS), "create_issue", HELD) == {
        "owner": "myorg",
        "repo": "api",
        "_omitted": 2,
    }


def test_selectors_are_those_that_policy_judges_by():
    held = {"repoUrl": "myorg/api", "action": "close", "text": "x"}

    assert seen(server(Extent.SELECTORS), "createIssue", held) == {
        "repoUrl": "myorg/api",
        "action": "close",
        "_omitted": 1,
    }


def test_a_tool_nobody_knows_has_the_usual_ones():
    held = {"project_key": "ABC", "projectSlug": "web", "path": "/a", "summary": "x"}

    assert seen(server(Extent.SELECTORS), "odd", held) == {
        "project_key": "ABC",
        "projectSlug": "web",
        "path": "/a",
        "_omitted": 1,
    }


@pytest.mark.parametrize(
    "value",
    ["x" * (MAX_SELECTOR + 1), {"deep": 1}, [["a"]], [{"a": 1}], ["a"] * (MAX_ITEMS + 1)],
)
def test_what_says_more_than_a_name_is_no_selector(value: Any):
    assert seen(server(Extent.SELECTORS), "odd", {"repo": value}) == {"_omitted": 1}


@pytest.mark.parametrize("value", ["a", 1, None, True, ["a", 2], []])
def test_names_numbers_and_lists_of_them_are_selectors(value: Any):
    assert seen(server(Extent.SELECTORS), "odd", {"repo": value}) == {"repo": value}


def test_a_tool_that_runs_another_shows_what_that_one_is_about():
    held = {"name": "create_issue", "arguments": HELD, "at": "x", "why": "y"}

    assert seen(server(Extent.SELECTORS), "run", held) == {
        "name": "create_issue",
        "at": "x",
        "arguments": {"owner": "myorg", "repo": "api", "_omitted": 2},
        "_omitted": 1,
    }


def test_a_tool_that_runs_itself_does_not_go_on_for_ever():
    held = {"name": "run", "arguments": {"name": "run", "arguments": {"repo": "x"}}}

    assert selected(server(Extent.SELECTORS), "run", held) == {"name": "run", "_omitted": 1}


def test_names_are_names_alone():
    assert seen(server(Extent.NAMES), "odd", HELD) == {"_names": ["owner", "repo", "title", "body"]}
    assert seen(server(Extent.NAMES), "odd", {}) == {}


def test_nothing_is_told_from_no_arguments():
    assert seen(server(Extent.NONE), "odd", HELD) == {"_omitted": True}
    assert bytes(arguments(call(server=server(Extent.NONE), payload=b""))) == b"{}"


def test_a_tool_has_an_extent_of_its_own_however_it_is_spelled():
    at = server(Extent.FULL, createissue=Extent.NONE)

    assert seen(at, "Create-Issue", HELD) == {"_omitted": True}
    assert seen(at, "get_issue", HELD) == HELD


@pytest.mark.parametrize("payload", [b"[1]", b"{", b"\xff", b'"secret"'])
def test_what_is_no_object_is_left_out(payload: bytes):
    found = arguments(call(server=server(Extent.SELECTORS), payload=payload))

    assert bytes(found) == b'{"_omitted":true}'


def test_secrets_are_masked_in_selectors_too():
    held = {"repo": {"a": 1}, "path": "x", "project_id": 1}

    assert seen(server(Extent.SELECTORS), "odd", held) == {
        "path": "x",
        "project_id": 1,
        "_omitted": 1,
    }


def test_longer_arguments_than_a_record_may_hold_are_told_by_digest():
    at = msgspec.structs.replace(GITHUB, recorded=Recorded(most=20))

    assert seen(at, "odd", HELD)["_truncated"] is True
