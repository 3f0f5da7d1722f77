import pytest

from torhaus.audit.marks import (
    checkpoint_line,
    head_line,
    is_record,
    read_checkpoint,
    read_head,
)
from torhaus.model.evidence import Checkpoint, SegmentHead

HEAD = SegmentHead(name="seg-1.jsonl", node="gate-1", began="2025-10-20T14:23:11.234Z")
CHECK = Checkpoint(at="2025-10-20T14:23:11.234Z", records=3, chain="c" * 64, crc="AAAA")


def test_marks_are_read_as_they_were_written():
    assert read_head(head_line(HEAD)) == HEAD
    assert read_checkpoint(checkpoint_line(CHECK)) == CHECK


@pytest.mark.parametrize(
    ("line", "yes"),
    [
        (b'{"timestamp":"2025"}', True),
        (b"no JSON", True),
        (b'{"segment":{}}', False),
        (b'{"checkpoint":{}}', False),
        (b"", False),
        (b"   ", False),
        (b"\n", False),
    ],
)
def test_what_is_to_be_read_as_a_record(line: bytes, yes: bool):
    assert is_record(line) is yes


@pytest.mark.parametrize(
    "line",
    [
        b"{}\n",
        b"",
        b"\xff\n",
        head_line(HEAD).replace(b":1}", b": 1}"),
        head_line(HEAD)[:-1],
        head_line(HEAD).replace(b"}}", b',"more":1}}'),
        checkpoint_line(CHECK).replace(b":3", b":3.0"),
        checkpoint_line(CHECK).replace(b"AAAA", b"\\u0041AAA"),
    ],
)
def test_every_other_spelling_is_refused(line: bytes):
    assert read_head(line) is None
    assert read_checkpoint(line) is None
