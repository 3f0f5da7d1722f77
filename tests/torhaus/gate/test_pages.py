import json
from time import thread_time
from typing import Any

import msgspec
import pytest

from tests.torhaus.scripted import dumps
from torhaus.gate.pages import MAX_TOOLS, read, remembered, written
from torhaus.policy.pins import definition
from torhaus.policy.poison import MAX_DEFINITION

ZERO = "\u200b"


def page(*tools: dict[str, Any], **more: Any) -> bytes:
    return dumps({"tools": list(tools), **more})


def test_a_page_of_clean_tools_may_pass_as_it_is():
    tool = {"name": "a", "description": "Größe", "annotations": {"readOnlyHint": True}}

    found = read(page(tool, {"name": "b"}, nextCursor="2"))

    assert found.plain
    assert found.cursor == "2"
    assert [item.name for item in found.items] == ["a", "b"]
    assert found.items[0].hints == {"readOnlyHint": True}
    assert found.items[0].definition == definition(tool)
    assert found.items[0].shown == dumps(tool)
    assert found.items[1].hints == {}


def test_marked_arguments_are_found():
    marked = {"type": "string", "x-mcp-header": "Owner"}

    found = read(page({"name": "a", "inputSchema": {"properties": {"owner": marked}}}))

    assert [mark.header for mark in found.items[0].marks] == ["mcp-param-owner"]


def test_a_text_with_hidden_characters_is_written_anew():
    found = read(page({"name": "a", "description": f"x{ZERO}y"}, {"name": "b"}))

    assert not found.plain
    assert json.loads(found.items[0].shown) == {"name": "a", "description": "xy"}
    assert [each.code for each in found.items[0].findings] == ["hidden"]
    assert found.items[0].definition == definition({"name": "a", "description": f"x{ZERO}y"})


@pytest.mark.parametrize(
    "tool",
    [
        {"name": f"a{ZERO}"},
        {"name": "a", "inputSchema": {"properties": {f"x{ZERO}": {}}}},
        {"name": "a", "inputSchema": {"enum": [ZERO]}},
        {"name": "a", "inputSchema": {"examples": ["x" * MAX_DEFINITION]}},
    ],
)
def test_a_tool_that_cannot_be_cleaned_is_withheld(tool: dict[str, Any]):
    found = read(page(tool, {"name": "b"}))

    assert not found.plain
    assert [item.withheld is None for item in found.items] == [False, True]


@pytest.mark.parametrize(
    "result",
    [
        b'{"tools":[{"name":"a","description":"x","description":"y"}]}',
        b'{"tools":[{"name":"a","inputSchema":{"type":"object","type":"array"}}]}',
        b'{"tools":[{"name":"a"}],"tools":[{"name":"a"}]}',
        b'{"tools":[{"name":"a"},{"name":"a"}]}',
        b'{"tools":[{"name":"a"},{"name":"a","description":"other"}]}',
    ],
)
def test_what_two_readers_read_differently_is_written_anew(result: bytes):
    found = read(result)

    assert not found.plain
    assert len(found.items) == 1
    again = written(result, list(found.items))
    assert again.count(b'"tools"') == 1
    assert again.count(b'"description"') <= 1
    assert again.count(b'"type"') <= 1
    assert read(again).plain


def test_the_first_of_two_tools_of_a_name_counts():
    (item,) = read(page({"name": "a"}, {"name": "a", "description": "other"})).items

    assert item.definition == definition({"name": "a"})


def test_blanks_in_a_page_change_nothing_but_its_spelling():
    result = b' { "tools" : [ {"name": "a"} ] , "_meta":{"x": 1} } '

    found = read(result)

    assert json.loads(written(result, list(found.items))) == json.loads(result)


def test_an_item_that_was_read_before_is_not_read_again():
    before = read(page({"name": "a"}, {"name": "b"}))

    after = read(page({"name": "a"}, {"name": "c"}), before.texts)

    assert after.items[0] is before.items[0]
    assert [item.name for item in after.items] == ["a", "c"]


def test_only_so_many_tools_are_looked_at():
    found = read(page(*({"name": str(n)} for n in range(MAX_TOOLS + 9))))

    assert len(found.items) == MAX_TOOLS
    assert not found.plain


@pytest.mark.parametrize(
    "result",
    [
        b"[]",
        b"{}",
        b'{"tools":{}}',
        b'{"tools":[{}]}',
        b'{"tools":[[]]}',
        b'{"tools":[{"name":1}]}',
        b'{"tools":[{"name":"a","annotations":[]}]}',
        b'{"tools":[],"nextCursor":7}',
    ],
)
def test_what_is_no_list_is_not_read(result: bytes):
    with pytest.raises(msgspec.MsgspecError):
        read(result)


def test_an_accepted_tool_can_be_remembered_from_its_definition():
    tool = {"name": "a", "annotations": {"readOnlyHint": False}, "inputSchema": {}}

    item = remembered(definition(tool))

    assert (item.name, item.hints) == ("a", {"readOnlyHint": False})
    assert item.definition == definition(tool)


@pytest.mark.parametrize("hidden", [ZERO, "a" + ZERO, "\U000e0041"], ids=["all", "half", "tags"])
def test_megabytes_of_hidden_characters_are_taken_out_in_time(hidden: str):
    tools = [{"name": f"t{i}", "description": hidden * (1000 // len(hidden))} for i in range(1500)]
    result = page(*tools)

    started = thread_time()
    found = read(result)

    assert thread_time() - started < 2.0  # 0.5 s; looked at one by one they take five times as long
    assert len(found.items) == 1500
    assert all(item.findings for item in found.items)


def test_a_definition_that_is_far_too_long_is_not_cleaned():
    result = page({"name": "a", "description": "\u0628\u200c" * 3_000_000})

    started = thread_time()
    (found,) = read(result).items

    assert thread_time() - started < 1.0
    assert found.findings == ()
    assert found.withheld is not None
    assert "where 262144 may be" in found.withheld
