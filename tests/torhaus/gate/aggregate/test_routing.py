"""Whose request it is."""

import json
from typing import Any

import pytest

from tests.torhaus.cast import request
from tests.torhaus.gate.aggregate.crowd import Crowd
from torhaus.gate.aggregate.routing import Routed, routed, with_fixed
from torhaus.mcp.message import CallerError
from torhaus.mcp.params import Mark
from torhaus.model.servers import Era
from torhaus.model.views import EVERYTHING, WHOLE, Pick, View
from torhaus.policy.globs import compile_glob

SERVERS = Crowd().servers
FIXED = View(name="v", picks={"github": WHOLE}, fixed={("github", "createissue"): {"owner": "me"}})


def find(method: str, params: dict[str, Any], view: View = EVERYTHING) -> Routed:
    return routed(view, SERVERS, request(method, params, era=Era.LEGACY))


def refused(method: str, params: dict[str, Any], view: View = EVERYTHING) -> str:
    with pytest.raises(CallerError) as caught:
        find(method, params, view)
    assert caught.value.id == b"1"
    return str(caught.value)


@pytest.mark.parametrize(
    ("method", "params", "server", "own"),
    [
        ("tools/call", {"name": "docs__a__b", "x": 1}, "docs", {"name": "a__b", "x": 1}),
        ("prompts/get", {"name": "docs__p"}, "docs", {"name": "p"}),
        ("resources/read", {"uri": "tea+a:b"}, "tea", {"uri": "a:b"}),
        ("resources/subscribe", {"uri": "ui://tea/a"}, "tea", {"uri": "ui://a"}),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "docs__p"}, "argument": {}},
            "docs",
            {"ref": {"type": "ref/prompt", "name": "p"}, "argument": {}},
        ),
        (
            "completion/complete",
            {"ref": {"type": "ref/prompt", "name": "docs__p", "uri": "a:secret", "URI": "a:b"}},
            "docs",
            {"ref": {"type": "ref/prompt", "name": "p"}},
        ),
        (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": "docs+a:{b}", "name": "secret", "title": "T"}},
            "docs",
            {"ref": {"type": "ref/resource", "uri": "a:{b}", "title": "T"}},
        ),
        (
            "completion/complete",
            {"ref": {"type": "ref/resource", "uri": "docs+a:{b}"}},
            "docs",
            {"ref": {"type": "ref/resource", "uri": "a:{b}"}},
        ),
    ],
)
def test_a_request_reaches_its_server_under_the_servers_name(
    method: str, params: dict[str, Any], server: str, own: dict[str, Any]
) -> None:
    found = find(method, params)

    assert found.server.name == server
    assert found.request.params == own
    assert json.loads(found.request.payload) == own


@pytest.mark.parametrize(
    ("method", "params"),
    [
        ("tools/call", {"name": "nobody__x"}),
        ("tools/call", {"name": "Docs__x"}),
        ("tools/call", {"name": "docs\u200b__x"}),
        ("tools/call", {"name": "docs_x"}),
        ("tools/call", {"name": "\uff44ocs__x"}),
        ("tools/call", {"name": " docs__x"}),
        ("prompts/get", {"name": "docs__"}),
        ("resources/read", {"uri": "nobody+a:b"}),
        ("resources/read", {"uri": "a:b"}),
        ("resources/read", {"uri": "DOCS+a:b"}),
        ("completion/complete", {"ref": {"type": "ref/prompt", "name": "x"}}),
    ],
)
def test_what_no_server_has_is_unknown(method: str, params: dict[str, Any]) -> None:
    assert refused(method, params).startswith("Unknown ")


def test_what_cannot_find_its_server_is_refused() -> None:
    assert "must be a string" in refused("tools/call", {"name": 5})
    assert "must be a string" in refused("resources/read", {})
    assert "must name a prompt" in refused("completion/complete", {"ref": {"type": "x"}})
    assert "tasks are not offered" in refused("tools/call", {"name": "docs__x", "task": {}})
    assert "not served" in refused("tasks/list", {})
    assert refused("tasks/get", {"taskId": "x"}) == "Unknown task: x"
    assert refused("tasks/get", {"taskId": "nobody+x"}) == "Unknown task: nobody+x"


def test_a_view_refuses_what_it_does_not_show() -> None:
    view = View(picks={"docs": Pick(tools=(compile_glob("get_*"),))})

    assert find("tools/call", {"name": "docs__get_it"}, view).server.name == "docs"
    for name in ("docs__delete_it", "github__get_it", "docs__get/it"):
        assert refused("tools/call", {"name": name}, view).startswith("Unknown tool")
    assert refused("prompts/get", {"name": "docs__get_it"}, view).startswith("Unknown prompt")
    assert refused("resources/read", {"uri": "docs+get_it"}, view).startswith("Unknown resource")


@pytest.mark.parametrize("tool", ["create_issue", "createIssue", "CREATE-ISSUE", "Create_Issue"])
def test_fixed_arguments_are_added_however_the_tool_is_spelt(tool: str) -> None:
    found = find("tools/call", {"name": f"github__{tool}", "arguments": {"title": "x"}}, FIXED)

    assert found.request.params["arguments"] == {"title": "x", "owner": "me"}
    assert find("tools/call", {"name": f"github__{tool}"}, FIXED).request.params["arguments"] == {
        "owner": "me"
    }


@pytest.mark.parametrize("key", ["owner", "OWNER", "Owner", "oWner", "\uff2fwner", "ow\0ner"])
def test_nobody_gives_a_fixed_argument_himself(key: str) -> None:
    params = {"name": "github__create_issue", "arguments": {key: "you"}}

    assert "is fixed here" in refused("tools/call", params, FIXED)


def test_the_gateway_repeats_what_it_fixed_in_headers() -> None:
    found = find("tools/call", {"name": "github__create_issue"}, FIXED)
    marked = (
        Mark(("owner",), "mcp-param-owner", integer=False),
        Mark(("title",), "mcp-param-title", integer=False),
    )

    assert with_fixed(found, (("mcp-param-title", "x"),), marked) == (
        ("mcp-param-title", "x"),
        ("mcp-param-owner", "me"),
    )
    with pytest.raises(CallerError, match="fixed here"):
        with_fixed(found, (("mcp-param-owner", "me"),), marked)


def test_a_task_finds_its_server_and_the_client_may_say_that_it_knows_tasks() -> None:
    able = {"extensions": {"io.modelcontextprotocol/tasks": {}}, "roots": {}}
    more = {**able, "extensions": {**able["extensions"], "x/y": {}}}
    meta = {"io.modelcontextprotocol/clientCapabilities": more}
    called = routed(EVERYTHING, SERVERS, request("tools/call", {"name": "docs__x", "_meta": meta}))
    polled = routed(EVERYTHING, SERVERS, request("tasks/get", {"taskId": "docs+a+b"}))

    assert called.request.params["_meta"]["io.modelcontextprotocol/clientCapabilities"] == able
    assert (polled.server.name, polled.request.params["taskId"]) == ("docs", "a+b")
