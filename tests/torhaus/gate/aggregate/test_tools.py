import json
from typing import Any

import jsonschema
import pytest

from torhaus.gate.aggregate import tools
from torhaus.gate.aggregate.tools import Unclear
from torhaus.mcp.message import Request, encode


def request(arguments: Any, name: str = "call_tool", **more: Any) -> Request:
    params = {"name": name, "arguments": arguments, **more}
    return Request(b"1", "tools/call", params, encode(params))


def test_the_three_have_schemas_that_take_what_we_take() -> None:
    listed = {each["name"]: each for each in json.loads(tools.listed(["a", "b"]))}

    assert set(listed) == tools.OURS
    assert "Servers: a, b." in listed["search_tools"]["description"]
    for name, arguments in (
        ("search_tools", {"query": "x", "limit": 25, "server": "a"}),
        ("describe_tools", {"names": ["x"]}),
        ("call_tool", {"name": "x", "arguments": {"any": 1}}),
    ):
        jsonschema.validate(arguments, listed[name]["inputSchema"])
        assert listed[name]["inputSchema"]["additionalProperties"] is False


def test_the_names_of_servers_are_few_in_a_description() -> None:
    many = json.loads(tools.listed([f"s{n}" for n in range(100)]))[0]["description"]

    assert "s39, …" in many
    assert "s40" not in many
    assert "No server is open" in json.loads(tools.listed([]))[0]["description"]


def test_the_inner_call_keeps_all_but_name_and_arguments() -> None:
    inner = tools.inner(request({"name": "a__b", "arguments": {"x": 1}}, _meta={"k": 1}))

    assert inner.params == {"name": "a__b", "arguments": {"x": 1}, "_meta": {"k": 1}}
    assert json.loads(inner.payload) == inner.params
    assert "arguments" not in tools.inner(request({"name": "a__b"})).params


@pytest.mark.parametrize(
    "arguments", [None, [], {"name": 1}, {"name": "x", "Arguments": {}}, {"name": "describe_tools"}]
)
def test_what_is_no_call_is_unclear(arguments: Any) -> None:
    with pytest.raises(Unclear):
        tools.inner(request(arguments))


def test_a_search_has_a_usual_number_of_answers() -> None:
    assert tools.search(request({"query": "x"})) == tools.Search("x", 10, "")


def test_each_name_is_described_once() -> None:
    assert tools.described(request({"names": ["b", "a", "b"]})) == ["b", "a"]
