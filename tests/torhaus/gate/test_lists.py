import json

import msgspec
import pytest

from tests.torhaus.cast import ALICE, DANA, MALLORY, github
from torhaus.gate.lists import UNREADABLE, filtered, shown


def only_a(name: str, hints: object) -> bool:
    return name == "a"


def test_items_that_stay_keep_their_bytes():
    result = b'{"tools":[{"name":"b"},{ "name" : "a", "x": 1e2 }],"nextCursor":"c","y":[1.0]}'

    assert filtered("tools/list", result, only_a) == (
        b'{"tools":[{ "name" : "a", "x": 1e2 }],"nextCursor":"c","y":[1.0]}'
    )


def test_a_list_that_lost_nothing_stays_as_it_is():
    result = b'{ "tools": [{"name":"a"}], "cacheScope": "public" }'

    assert filtered("tools/list", result, only_a) is result


def test_a_list_that_lost_something_is_private_where_that_is_said():
    result = b'{"tools":[{"name":"b"}],"cacheScope":"public"}'

    assert filtered("tools/list", result, only_a) == b'{"tools":[],"cacheScope":"private"}'
    assert b"cacheScope" not in filtered("tools/list", b'{"tools":[{"name":"b"}]}', only_a)


def test_annotations_are_shown_to_who_decides():
    seen: list[object] = []
    result = b'{"tools":[{"name":"a","annotations":{"readOnlyHint":true}},{"name":"b"}]}'

    filtered("tools/list", result, lambda name, hints: bool(seen.append(hints)) or True)

    assert seen == [{"readOnlyHint": True}, {}]


@pytest.mark.parametrize(
    "result",
    [b"[]", b"null", b"{}", b'{"tools":{}}', b'{"tools":[1]}', b'{"tools":[{"name":null}]}',
     b'{"tools":[{"name":"\xff"}]}', b'{"Tools":[]}', b'{"prompts":[]}'],
)  # fmt: skip
def test_what_is_no_such_list_is_refused(result: bytes):
    with pytest.raises(UNREADABLE):
        filtered("tools/list", result, lambda name, hints: True)


def test_a_nameless_tool_is_shown_only_to_who_may_use_anything():
    result = b'{"tools":[{"title":"?"}]}'

    assert shown("tools/list", result, ALICE, github()) == b'{"tools":[]}'
    assert shown("tools/list", result, DANA, github()) is result


@pytest.mark.parametrize("method", ["prompts/list", "resources/list", "resources/templates/list"])
def test_a_reader_sees_what_can_be_read_and_others_see_nothing(method: str):
    member = {"prompts/list": "prompts", "resources/list": "resources"}.get(
        method, "resourceTemplates"
    )
    result = msgspec.json.encode({member: [{"name": "x", "uri": "y"}]})

    assert shown(method, result, ALICE, github()) is result
    assert json.loads(shown(method, result, MALLORY, github())) == {member: []}
