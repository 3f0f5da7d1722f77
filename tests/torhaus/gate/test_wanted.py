import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.cast import BOB, World
from tests.torhaus.gate.holding import CAREFUL
from torhaus.gate.calls import Asking, build
from torhaus.gate.wanted import wanted
from torhaus.model.approval import Wanted
from torhaus.model.people import Principal
from torhaus.model.verdict import Allow, Hold

HOLD = Hold("four eyes", "somebody agrees", Allow("r", "r"), (("lead",),))


def want(asking: Asking, version: str = "p1") -> Wanted:
    return wanted(asking, build(asking, "req_1", {}), HOLD, version)


def tool(arguments: object = None, by: Principal = CAREFUL, **extra: object) -> Wanted:
    return want(World().tool("create_issue", arguments, by=by, extra=extra))


SAME = tool({"a": 1, "b": [1, 2]}).digest


def test_the_order_of_keys_and_what_is_about_the_message_do_not_count() -> None:
    assert tool({"b": [1, 2], "a": 1}).digest == SAME
    assert tool({"a": 1, "b": [1, 2]}, _meta={"progressToken": 5}).digest == SAME


@pytest.mark.parametrize(
    "other",
    [
        tool({"a": 1.0, "b": [1, 2]}),
        tool({"a": "1", "b": [1, 2]}),
        tool({"a": True, "b": [1, 2]}),
        tool({"a": 1, "b": [2, 1]}),
        tool({"a": 1, "b": [1, 2], "c": None}),
        tool({"A": 1, "b": [1, 2]}),
        tool({}),
        tool(None),
        tool({"a": 1, "b": [1, 2]}, task={"ttl": 1}),
        tool({"a": 1, "b": [1, 2]}, requestState="the server's own"),
        tool({"a": 1, "b": [1, 2]}, inputResponses={"q": {"action": "accept"}}),
        tool({"a": 1, "b": [1, 2]}, by=BOB),
        want(World().tool("update_issue", {"a": 1, "b": [1, 2]}, by=CAREFUL)),
        want(World().asking("prompts/get", {"name": "create_issue", "arguments": {}}, by=CAREFUL)),
    ],
    ids=lambda each: each.arguments[:20],
)
def test_everything_else_makes_it_another_call(other: Wanted) -> None:
    assert other.digest != SAME


def test_prompts_and_resources_are_told_apart_by_name() -> None:
    world = World()
    one = want(world.asking("prompts/get", {"name": "a", "arguments": {}}, by=CAREFUL))
    other = want(world.asking("prompts/get", {"name": "b", "arguments": {}}, by=CAREFUL))

    assert one.digest != other.digest
    assert json.loads(one.arguments) == {"name": "a", "arguments": {}}


def test_the_approver_sees_what_comes_beside_the_arguments() -> None:
    found = tool({"a": 1}, inputResponses={"q": {"action": "accept"}})

    assert json.loads(found.arguments) == {
        "name": "create_issue",
        "arguments": {"a": 1},
        "inputResponses": {"q": {"action": "accept"}},
    }


def test_the_approver_sees_arguments_without_secrets() -> None:
    found = tool({"title": "x", "token": "ghp_very_secret"})

    assert json.loads(found.arguments) == {"title": "x", "token": "•••"}
    assert found.tool == "create_issue"
    assert found.approvers == (("lead",),)
    assert (found.policy, found.reason, found.policy_version) == (
        "four eyes",
        "somebody agrees",
        "p1",
    )


def test_the_approver_sees_all_of_long_arguments() -> None:
    body = "x" * 200_000

    assert json.loads(tool({"body": body}).arguments) == {"body": body}


def nested(levels: int) -> Any:
    deep: Any = 0
    for _ in range(levels):
        deep = [deep]
    return deep


@pytest.mark.parametrize("value", ["x" * 300_000, nested(120)])
def test_nobody_agrees_to_what_he_cannot_see(value: Any) -> None:
    with pytest.raises(ValueError, match="too long or too deep"):
        tool({"value": value})


def test_what_the_call_came_with_is_told_and_changes_nothing() -> None:
    asking = World().tool("create_issue", {"a": 1, "b": [1, 2]}, by=CAREFUL)

    found = want(msgspec.structs.replace(asking, shown="key:adm_1"))

    assert (found.shown, found.digest) == ("key:adm_1", SAME)
