"""Which line it is: a block that is not what its checkpoint proves, held against the CRCs."""

import base64
import binascii
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from zlib import crc32

from torhaus.model.evidence import Checkpoint


@dataclass(frozen=True, slots=True)
class Fault:
    """`line`: its number in the segment, from 1; 0 where it is about the whole.

    `what`: goes on from a name: `was changed`.
    """

    line: int
    what: str

    def __str__(self) -> str:
        return f"line {self.line} {self.what}" if self.line else self.what


def crcs(checkpoint: Checkpoint) -> list[int] | None:
    """None where they are spoiled."""
    try:
        packed = base64.b64decode(checkpoint.crc, validate=True)
        return list(struct.unpack(f">{len(packed) // 4}I", packed))
    except (binascii.Error, struct.error):
        return None


def faults(
    lines: list[bytes], first: int, checkpoint: Checkpoint, expected: int
) -> Iterator[Fault]:
    """What is wrong with the records of a block, the first of which is line `first`.

    `expected`: how many there should be. Nothing when every record is as it was written.
    """
    known = crcs(checkpoint)
    if known is None:
        yield Fault(first + len(lines), "is a checkpoint, and was changed")
        return
    lost = len(lines) - len(known)
    if expected > len(known) and lost > 0:  # there was a checkpoint between
        if len(lines) > expected:
            yield Fault(first + lost - 1, "was a checkpoint, and was changed")
        else:
            yield Fault(first + lost, "comes after a checkpoint that was removed")
        lines, first = lines[lost:], first + lost
    yield from differences(known, [crc32(line) for line in lines], first)


def differences(known: list[int], found: list[int], first: int) -> Iterator[Fault]:
    same = 0
    while same < min(len(known), len(found)) and known[same] == found[same]:
        same += 1
    end = 0
    while end < min(len(known), len(found)) - same and known[-1 - end] == found[-1 - end]:
        end += 1
    was, now = known[same : len(known) - end], found[same : len(found) - end]
    at = first + same
    if not was and not now:
        return
    if not now:
        yield Fault(at, f"comes after {_records(len(was))} removed")
    elif not was:
        yield from (Fault(at + each, "was inserted") for each in range(len(now)))
    elif len(was) != len(now):
        yield Fault(at, f"begins {_lines(len(now))} where {_records(len(was))} written")
    elif sorted(was) == sorted(now):
        yield Fault(at, f"begins {_records(len(now))} reordered")
    else:
        pairs = enumerate(zip(was, now, strict=True))
        yield from (Fault(at + each, "was changed") for each, (a, b) in pairs if a != b)


def _records(count: int) -> str:
    return f"{count} records that were" if count != 1 else "1 record that was"


def _lines(count: int) -> str:
    return f"{count} lines" if count != 1 else "1 line"
