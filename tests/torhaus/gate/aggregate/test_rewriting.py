"""What becomes of servers' words."""

import json
from typing import Any

import msgspec
import pytest

from tests.torhaus.scripted import dumps
from torhaus.gate.aggregate import rewriting
from torhaus.model.views import EVERYTHING, WHOLE, Pick, View
from torhaus.policy.globs import compile_glob


def made(method: str, raw: bytes, view: View = EVERYTHING) -> bytes | None:
    item = rewriting.ITEMS[method](view, "docs", msgspec.Raw(raw))
    return None if item is None else item.text


def test_a_tool_keeps_every_byte_but_its_name() -> None:
    schema = b'{"$defs":{"a":{"$anchor":"x"}},"type": "object", "x-mcp-header":1e2}'
    raw = b'{"title":"T","name":"get","inputSchema":%b,"zz":[1.0, 2]}' % schema

    assert made("tools/list", raw) == (
        b'{"title":"T","name":"docs__get","inputSchema":%b,"zz":[1.0, 2]}' % schema
    )


def test_an_app_finds_its_page_and_no_task_is_offered() -> None:
    raw = dumps(
        {
            "name": "get",
            "_meta": {"ui": {"resourceUri": "ui://a/b"}, "ui/resourceUri": "ui://a/b", "x": 1},
            "execution": {"taskSupport": "required", "y": 2},
        }
    )

    assert json.loads(made("tools/list", raw) or b"") == {
        "name": "docs__get",
        "_meta": {
            "ui": {"resourceUri": "ui://docs/a/b"},
            "ui/resourceUri": "ui://docs/a/b",
            "x": 1,
        },
        "execution": {"y": 2},
    }


@pytest.mark.parametrize(
    ("method", "item", "told"),
    [
        ("prompts/list", {"name": "p"}, {"name": "docs__p"}),
        ("resources/list", {"uri": "a:b", "name": "n"}, {"uri": "docs+a:b", "name": "n"}),
        ("resources/templates/list", {"uriTemplate": "a:{b}"}, {"uriTemplate": "docs+a:{b}"}),
    ],
)
def test_other_items_get_their_servers_name(
    method: str, item: dict[str, Any], told: dict[str, Any]
) -> None:
    assert json.loads(made(method, dumps(item)) or b"") == told


@pytest.mark.parametrize("method", rewriting.ITEMS)
def test_what_has_no_name_and_what_is_not_picked_is_not_shown(method: str) -> None:
    item = dumps({"name": "x", "uri": "x", "uriTemplate": "x"})

    assert made(method, b'{"name":5,"uri":5,"uriTemplate":null}') is None
    assert made(method, item, View(picks={"docs": Pick()})) is None
    assert made(method, item, View(picks={"other": WHOLE})) is None
    assert made(method, item, View(picks={"docs": WHOLE})) is not None


def test_fixed_arguments_are_not_in_the_schema() -> None:
    pick = Pick(tools=(compile_glob("get*"),))
    view = View(picks={"docs": pick}, fixed={("docs", "getit"): {"owner": "me", "n": 1}})
    schema = {
        "type": "object",
        "properties": {"owner": {"type": "string"}, "n": {}, "title": {"default": "x"}},
        "required": ["owner", "title", ["odd"]],
    }

    seen = json.loads(
        made("tools/list", dumps({"name": "get_it", "inputSchema": schema}), view) or b""
    )

    assert seen["inputSchema"] == {
        "type": "object",
        "properties": {"title": {"default": "x"}},
        "required": ["title", ["odd"]],
    }


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            {"content": [{"type": "resource_link", "uri": "a:b", "name": "n"}]},
            {"content": [{"type": "resource_link", "uri": "docs+a:b", "name": "n"}]},
        ),
        (
            {"content": [{"type": "resource", "resource": {"uri": "a:b", "text": "t"}}]},
            {"content": [{"type": "resource", "resource": {"uri": "docs+a:b", "text": "t"}}]},
        ),
        ({"contents": [{"uri": "a:b"}]}, {"contents": [{"uri": "docs+a:b"}]}),
        (
            {"messages": [{"role": "user", "content": {"type": "resource_link", "uri": "a:b"}}]},
            {
                "messages": [
                    {"role": "user", "content": {"type": "resource_link", "uri": "docs+a:b"}}
                ]
            },
        ),
        # What is data stays data.
        ({"structuredContent": {"uri": "a:b"}}, {"structuredContent": {"uri": "a:b"}}),
        (
            {"content": [{"type": "text", "uri": "a:b"}]},
            {"content": [{"type": "text", "uri": "a:b"}]},
        ),
        ({"content": "uri", "uri": "x"}, {"content": "uri", "uri": "x"}),
        ({"contents": [5, {"uri": 5}]}, {"contents": [5, {"uri": 5}]}),
    ],
)
def test_addresses_in_results_are_ours(before: object, after: object) -> None:
    assert json.loads(rewriting.result("docs", dumps(before))) == after


def test_a_result_without_addresses_stays_as_it_is() -> None:
    result = b'{ "content": [{"type":"text","text":"x"}] }'

    assert rewriting.result("docs", result) is result


def test_whoever_is_asked_reads_which_server_asks() -> None:
    asks = {
        "a": {"method": "elicitation/create", "params": {"message": "Sure?", "_meta": {"k": 1}}},
        "b": {"method": "roots/list"},
        "c": 5,
    }

    seen = json.loads(
        rewriting.result("docs", dumps({"resultType": "input_required", "inputRequests": asks}))
    )

    assert seen["inputRequests"]["a"]["params"] == {
        "message": "[docs] Sure?",
        "_meta": {"k": 1, "torhaus/server": "docs"},
    }
    assert (seen["inputRequests"]["b"], seen["inputRequests"]["c"]) == (asks["b"], 5)
    params = rewriting.request("docs", "elicitation/create", b'{"message":"Sure?"}')
    assert json.loads(params)["message"] == "[docs] Sure?"
    assert rewriting.request("docs", "ping", b"{}") == b"{}"


def test_errors_and_notices_name_the_address_too() -> None:
    error = {"code": -32602, "message": "no", "data": {"uri": "a:b"}}

    assert json.loads(rewriting.error("docs", dumps(error)))["data"] == {"uri": "docs+a:b"}
    assert rewriting.error("docs", b'{"code":1,"message":"uri"}') == b'{"code":1,"message":"uri"}'
    assert rewriting.updated("docs", b'{"uri":"a:b"}') == b'{"uri":"docs+a:b"}'
    assert json.loads(rewriting.logged("docs", {"logger": "x"})) == {"logger": "docs/x"}
    assert json.loads(rewriting.logged("docs", {})) == {"logger": "docs"}
