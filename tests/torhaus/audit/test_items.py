import json

import pytest

from torhaus.audit.items import MAX_TEXT, UnreadableError, count


def text(inner: str, **more: object) -> bytes:
    return json.dumps({"content": [{"type": "text", "text": inner}], **more}).encode()


@pytest.mark.parametrize(
    ("result", "items"),
    [
        (b'{"structuredContent":[1,2,3],"content":[]}', 3),
        (b'{"structuredContent":{"total":2,"issues":[1,2]},"content":[]}', 2),
        (b'{"structuredContent":{"issues":[]},"content":[{"type":"text","text":"[]"}]}', 0),
        (b'{"structuredContent":{"a":[1],"b":[2]},"content":[{},{}]}', 2),
        (b'{"structuredContent":{"total":2},"content":[{},{},{}]}', 3),
        (text("[1,2,3,4]"), 4),
        (text('\n {"total":9,"items":[1,2]}'), 2),
        (text('{"a":[1],"b":[]}'), 1),
        (text('{"total":9}'), 1),
        (text("[not json"), 1),
        (text("twelve issues"), 1),
        (text(""), 1),
        (text("[" * 5000), 1),
        (text("[1,2]" + " " * MAX_TEXT), 1),
        (b'{"content":[{"type":"image","text":"[1,2]"}]}', 1),
        (b'{"content":[{"type":"text","text":7}]}', 1),
        (b'{"content":[7]}', 1),
        (b'{"content":[]}', 0),
        (b'{"content":"seven"}', None),
        (b'{"tools":[{},{},{}],"nextCursor":"x"}', 3),
        (b'{"resources":[{}]}', 1),
        (b'{"resourceTemplates":[{},{}]}', 2),
        (b'{"prompts":[]}', 0),
        (b'{"messages":[{},{}]}', 2),
        (b'{"contents":[{}]}', 1),
        (b'{"tasks":[{}]}', 1),
        (b'{"protocolVersion":"2025-11-25"}', None),
        (b"{}", None),
    ],
)
def test_the_things_in_a_result_are_counted(result: bytes, items: int | None):
    assert count(result) == (False, items)


@pytest.mark.parametrize("flag", [b"true", b"1", b'"yes"', b"[]"])
def test_an_error_has_no_items(flag: bytes):
    assert count(b'{"content":[{},{}],"isError":%s}' % flag) == (True, None)


@pytest.mark.parametrize("result", [b"", b"[]", b"7", b"null", b"{", b'{"content":' + b"[" * 9000])
def test_what_is_no_object_is_unreadable(result: bytes):
    with pytest.raises(UnreadableError):
        count(result)
