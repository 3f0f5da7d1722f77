import json
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from tests.torhaus.scripted import dumps
from torhaus.gate.described import MAX_INSTRUCTIONS, seen, whatever
from torhaus.policy.poison import MAX_TEXT

ZERO = "\u200b"


def test_what_is_plain_passes_byte_for_byte():
    for method, result in (
        ("prompts/list", b'{"prompts":[{"name":"a","description":"x"}]}'),
        ("resources/list", b'{"resources":[{"uri":"file:///a","name":"a"}]}'),
        ("initialize", b'{"instructions":"Be kind.","serverInfo":{"name":"x"}}'),
        ("server/discover", b'{"instructions":"Be kind.","_meta":{}}'),
    ):
        assert seen(method, result) is result


@pytest.mark.parametrize(
    ("method", "member", "item", "clean"),
    [
        ("prompts/list", "prompts", {"description": f"x{ZERO}"}, {"description": "x"}),
        ("prompts/list", "prompts", {"title": "x" * 9999}, None),
        (
            "prompts/list",
            "prompts",
            {"name": "p", "arguments": [{"name": "a", "description": f"x{ZERO}"}]},
            {"name": "p", "arguments": [{"name": "a", "description": "x"}]},
        ),
        ("resources/list", "resources", {"name": f"a{ZERO}.txt"}, {"name": "a.txt"}),
        ("resources/list", "resources", {"name": "Größe 👩\u200d💻"}, {"name": "Größe 👩\u200d💻"}),
        ("resources/templates/list", "resourceTemplates", {"name": f"x{ZERO}"}, {"name": "x"}),
    ],
)
def test_texts_of_lists_lose_what_is_hidden(
    method: str, member: str, item: dict[str, Any], clean: dict[str, Any] | None
):
    found = json.loads(seen(method, dumps({member: [item], "nextCursor": "2"})))

    assert found["nextCursor"] == "2"
    if clean is None:
        assert len(found[member][0]["title"]) == MAX_TEXT
    else:
        assert found[member] == [clean]


@pytest.mark.parametrize(
    ("method", "member", "item"),
    [
        ("prompts/list", "prompts", {"name": f"p{ZERO}"}),
        ("prompts/list", "prompts", {"name": "p", "arguments": [{"name": f"a{ZERO}"}]}),
        ("resources/list", "resources", {"uri": f"file:///{ZERO}", "name": "a"}),
        ("resources/list", "resources", {"uri": "file:///a", f"x{ZERO}": 1}),
        ("resources/templates/list", "resourceTemplates", {"uriTemplate": f"a{ZERO}"}),
    ],
)
def test_what_cannot_lose_it_is_left_out(method: str, member: str, item: dict[str, Any]):
    found = json.loads(seen(method, dumps({member: [item, {"name": "b", "uri": "b:"}]})))

    assert found[member] == [{"name": "b", "uri": "b:"}]


@pytest.mark.parametrize("method", ["initialize", "server/discover"])
def test_instructions_lose_what_is_hidden(method: str):
    result = {
        "instructions": f"Be{ZERO} kind.\U000e0041",
        "serverInfo": {"name": "x", "title": f"X{ZERO}", "icons": [{"src": "data:x"}]},
        "_meta": {"io.modelcontextprotocol/serverInfo": {"title": f"X{ZERO}"}, "n": 1},
        "capabilities": {"tools": {}},
    }

    found = json.loads(seen(method, dumps(result)))

    assert found == {
        "instructions": "Be kind.",
        "serverInfo": {"name": "x", "title": "X", "icons": [{"src": "data:x"}]},
        "_meta": {"io.modelcontextprotocol/serverInfo": {"title": "X"}, "n": 1},
        "capabilities": {"tools": {}},
    }


def test_instructions_of_absurd_length_are_cut():
    found = json.loads(seen("initialize", dumps({"instructions": "x" * 2_000_000})))

    assert len(found["instructions"]) == MAX_INSTRUCTIONS


def test_escaped_characters_are_characters():
    found = seen("initialize", b'{"instructions":"Be\\u200b kind\\u001b[8m."}')

    assert json.loads(found) == {"instructions": "Be kind[8m."}


def test_a_member_that_stands_twice_stands_once():
    found = seen("initialize", b'{"instructions":"a","instructions":"b"}')

    assert found == b'{"instructions":"b"}'


@pytest.mark.parametrize("result", [b"[]", b"5", b'"x"'])
def test_what_is_no_hello_is_for_others_to_judge(result: bytes):
    assert seen("initialize", result) == result


@pytest.mark.parametrize(
    "result", [b"[]", b'{"prompts":[7],"x":"\\u200b"}', b'{"prompts":{},"x":"\\u200b"}']
)
def test_what_is_no_list_is_not_passed_on(result: bytes):
    with pytest.raises(msgspec.MsgspecError):
        seen("prompts/list", result)


def test_every_list_in_a_result_of_an_unknown_method_is_cleaned():
    asked: list[str] = []

    def clean(method: str, result: bytes) -> bytes:
        asked.append(method)
        return result

    result = dumps({"tools": [], "prompts": [], "resources": {}, "instructions": f"x{ZERO}"})

    assert json.loads(whatever(result, clean))["instructions"] == "x"
    assert asked == ["tools/list", "prompts/list"]
    assert whatever(b'{"content":[]}', clean) == b'{"content":[]}'


def test_a_list_with_much_to_withhold_is_one_line_of_the_log():
    items = [{"uri": f"file:///{ZERO}{n}", "name": "a"} for n in range(300)]

    with capture_logs() as logs:
        found = seen("resources/list", dumps({"resources": items}))

    assert json.loads(found)["resources"] == []
    assert [(each["event"], each["items"]) for each in logs] == [("catalogue.withheld", 300)]
