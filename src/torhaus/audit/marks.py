"""The lines of a segment that are no records: its head, and its checkpoints."""

import msgspec

from torhaus.model.evidence import Checkpoint, SegmentHead

HEAD = b'{"segment":'
CHECKPOINT = b'{"checkpoint":'
_MARKS = (HEAD, CHECKPOINT)


class _HeadLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    segment: SegmentHead


class _CheckpointLine(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    checkpoint: Checkpoint


_decode_head = msgspec.json.Decoder(_HeadLine).decode
_decode_checkpoint = msgspec.json.Decoder(_CheckpointLine).decode


def is_record(line: bytes) -> bool:
    """Whether a line is to be read as a record: it is no mark, and not blank."""
    return not line.startswith(_MARKS) and not line.isspace() and line != b""


def head_line(head: SegmentHead) -> bytes:
    return msgspec.json.encode(_HeadLine(head)) + b"\n"


def checkpoint_line(checkpoint: Checkpoint) -> bytes:
    return msgspec.json.encode(_CheckpointLine(checkpoint)) + b"\n"


def read_head(line: bytes) -> SegmentHead | None:
    """None for what is no head, or not spelled as the writer spells it."""
    try:
        head = _decode_head(line).segment
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return head if head_line(head) == line else None


def read_checkpoint(line: bytes) -> Checkpoint | None:
    """None for what is no checkpoint, or not spelled as the writer spells it."""
    try:
        checkpoint = _decode_checkpoint(line).checkpoint
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None
    return checkpoint if checkpoint_line(checkpoint) == line else None
