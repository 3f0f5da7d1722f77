"""A segment with its proof: head, records, checkpoints, and the journal's line that seals it."""

import time
from pathlib import Path

from torhaus.audit.chain import Chain
from torhaus.audit.entries import moment
from torhaus.audit.marks import head_line
from torhaus.model.evidence import Begun, Left, Sealed, SegmentHead
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.segments import Segment, stamp


class ProvedSegment:
    """It begins with its first record, and a checkpoint is due `seconds` or `records` after.

    `opened`: monotonic. Every method may raise OSError; then the next one first takes back what
    is half written.
    """

    def __init__(self, directory: Path, journal: Journal, records: int, seconds: float) -> None:
        self.opened = time.monotonic()
        self._segment = Segment(directory, stamp(time.time()))
        self._journal = journal
        self._records = records
        self._seconds = seconds
        self._chain = Chain()
        self._since = 0.0
        self._begun = False

    @property
    def path(self) -> Path:
        return self._segment.path

    @property
    def size(self) -> int:
        return self._segment.size

    @property
    def due(self) -> float | None:
        """When a checkpoint is, on the monotonic clock; None: all is proved."""
        return self._since + self._seconds if self._chain.pending else None

    def prove(self) -> None:
        """The disk does accept data."""
        self._segment.prove()

    def append(self, lines: bytes | bytearray) -> None:
        """Returns when all of it is on disk, with a checkpoint if one is due."""
        if not self._begun:
            self._begin()
        chain, now = self._chain.copy(), time.monotonic()
        since = self._since if chain.pending else now
        text = bytes(lines)
        chain.add(text)
        if chain.pending >= self._records or now >= since + self._seconds:
            text += chain.checkpoint(moment(time.time()))
        self._put(text, chain)
        self._since = since

    def check(self) -> None:
        """A checkpoint now."""
        chain = self._chain.copy()
        self._put(chain.checkpoint(moment(time.time())), chain)

    def seal(self) -> None:
        """The last checkpoint, and the journal's line. One that holds nothing is removed."""
        try:
            if not self._begun:
                return
            if self._chain.pending or not self._chain.chain:
                self.check()
            self._segment.cut()
            self._journal.append(self._sealed())
        finally:
            self._segment.close()

    def leave(self) -> None:
        """Give it up as it is: `recover` repairs and seals it. What failed is no record of it."""
        if self._begun:
            self._journal.append(Left(segment=self.path.name, octets=self.size))
        self._segment.let_go()

    def cut(self) -> None:
        self._segment.cut()

    def _begin(self) -> None:
        """Head, then the journal's line, then records: what the journal knows has its head."""
        if not self._chain.octets:
            head = SegmentHead(
                name=self.path.name, node=self._journal.node, began=moment(time.time())
            )
            line, chain = head_line(head), self._chain.copy()
            chain.mark(line)
            self._put(line, chain)
        self._journal.append(Begun(segment=self.path.name))
        self._begun = True

    def _put(self, text: bytes, chain: Chain) -> None:
        self._segment.append(text)
        self._chain = chain

    def _sealed(self) -> Sealed:
        chain = self._chain
        return Sealed(
            segment=self.path.name,
            records=chain.records,
            octets=chain.octets,
            chain=chain.chain,
            sha256=chain.sha256,
            first=chain.span.first.decode(),
            last=chain.span.last.decode(),
        )
