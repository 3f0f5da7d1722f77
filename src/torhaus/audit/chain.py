"""The proof of a segment, kept while it is written."""

import base64
import re
import struct
from hashlib import sha256
from zlib import crc32

from torhaus.audit.marks import checkpoint_line
from torhaus.model.evidence import Checkpoint

_FROM, _TO = 14, 38
"""Where a record's line has its time: `{"timestamp":"2025-10-20T14:23:11.234Z"`."""

_TIME = re.compile(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Span:
    """The earliest and the latest time of records; empty until there is one."""

    __slots__ = ("first", "last")

    def __init__(self, first: bytes = b"", last: bytes = b"") -> None:
        self.first = first
        self.last = last

    def add(self, lines: list[bytes]) -> None:
        times = [line[_FROM:_TO] for line in lines]
        low, high = min(times, default=b""), max(times, default=b"")
        if not _TIME.fullmatch(low) or not _TIME.fullmatch(high):  # a line that is no record
            times = [each for each in times if _TIME.fullmatch(each)]
            if not times:
                return
            low, high = min(times), max(times)
        if not self.first or low < self.first:
            self.first = low
        self.last = max(self.last, high)


class Chain:
    """What a segment holds so far: `records`, `octets`, the digest of all, and of the last block.

    `file`, `block`, `crcs`: what the seal and the next checkpoint are made of. `pending`: records
    since the last checkpoint. `chain`: of that one, empty before the first.
    """

    __slots__ = ("block", "chain", "crcs", "file", "octets", "pending", "records", "span")

    def __init__(self) -> None:
        self.file = sha256()
        self.block = sha256()
        self.crcs = bytearray()
        self.chain = ""
        self.pending = 0
        self.records = 0
        self.octets = 0
        self.span = Span()

    def copy(self) -> "Chain":
        """One that can go on by itself: what was added to it may yet fail to reach the disk."""
        other = Chain.__new__(Chain)
        other.file = self.file.copy()
        other.block = self.block.copy()
        other.crcs = self.crcs[:]
        other.chain = self.chain
        other.pending = self.pending
        other.records = self.records
        other.octets = self.octets
        other.span = Span(self.span.first, self.span.last)
        return other

    @property
    def sha256(self) -> str:
        """Of the whole file."""
        return self.file.hexdigest()

    def mark(self, line: bytes) -> None:
        """A line that is no record."""
        self.file.update(line)
        self.block.update(line)
        self.octets += len(line)

    def add(self, lines: bytes) -> None:
        """Whole lines of records."""
        self.mark(lines)
        each = lines.split(b"\n")
        each.pop()
        self.crcs += struct.pack(f">{len(each)}I", *map(crc32, each))
        self.span.add(each)
        self.pending += len(each)
        self.records += len(each)

    def checkpoint(self, at: str) -> bytes:
        """The line that proves what came since the last one; it belongs to the next block."""
        self.chain = self.block.hexdigest()
        line = checkpoint_line(
            Checkpoint(
                at=at,
                records=self.records,
                chain=self.chain,
                crc=base64.b64encode(self.crcs).decode(),
            )
        )
        self.block = sha256()
        self.crcs = bytearray()
        self.pending = 0
        self.mark(line)
        return line
