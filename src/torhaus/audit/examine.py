"""A segment held against its own checkpoints, block by block, without any key."""

from collections.abc import Iterable, Iterator
from hashlib import sha256

from torhaus.audit.locate import Fault, faults
from torhaus.audit.marks import CHECKPOINT, HEAD, read_checkpoint, read_head
from torhaus.model.evidence import Checkpoint, LiveChain, Sealed, SegmentHead

_NEXT = b"\n" + CHECKPOINT


def blocks(chunks: Iterable[bytes]) -> Iterator[tuple[bytes, bytes]]:
    """A segment's text, split before its checkpoints: each block, and the line that proves it.

    A block begins with the checkpoint before it. The last one has no such line (it is empty).
    """
    text, searched = b"", 0
    for chunk in chunks:
        text += chunk
        start = 0
        while (at := text.find(_NEXT, searched)) >= 0:
            end = text.find(b"\n", at + 1) + 1
            if not end:
                break  # the line goes on in the next chunk
            yield text[start : at + 1], text[at + 1 : end]
            start, searched = at + 1, end - 1
        text = text[start:]
        searched = max(searched - start, 0) if at >= 0 else max(0, len(text) - len(_NEXT))
    yield text, b""


class Examiner:
    """Told of every block. `known`: checkpoints that were seen elsewhere, to be found here.

    `head`: None without one. `records`, `octets`, `checkpoints`, `sha256`: of what is there.
    `unproved`: records after the last checkpoint; `torn`: octets after the last line break.
    `faults`: in the order of lines.
    """

    def __init__(self, name: str, known: LiveChain | None = None) -> None:
        self.head: SegmentHead | None = None
        self.records = self.octets = self.checkpoints = self.unproved = self.torn = 0
        self.chain = ""
        self.faults: list[Fault] = []
        self._name = name
        self._known = known
        self._met = known is None
        self._file = sha256()
        self._lines = 0
        self._said = 0
        self._doubt: tuple[int, int] | None = None

    @property
    def sha256(self) -> str:
        return self._file.hexdigest()

    def block(self, body: bytes, proof: bytes) -> None:
        """Blocks come in order, the one without `proof` last."""
        marks = self._mark(body)
        first, count = self._lines + 1, body.count(b"\n")
        self._file.update(body)
        self.octets += len(body)
        self._lines += count
        self.records += count - marks
        if not proof:
            self._end(body, count - marks)
            return
        self.checkpoints += 1
        if first == 1 and not marks:
            self._fault(Fault(1, "is no head, though there are checkpoints"))
        checkpoint = read_checkpoint(proof)
        if checkpoint is None:
            self._fault(Fault(self._lines + 1, "is a checkpoint, and was changed"))
            self._said += count - marks
            return
        self.chain = checkpoint.chain
        if sha256(body).hexdigest() == checkpoint.chain:
            self._good(checkpoint, count - marks)
        else:
            self._bad(body, checkpoint, first, marks)
        self._said = checkpoint.records
        if self._known is not None and self._known.chain == checkpoint.chain:
            self._met = self._met or self._known.records == checkpoint.records

    def _mark(self, body: bytes) -> int:
        """How many lines of a block are no records: its first, the head or a checkpoint."""
        if self._lines:
            return 1
        if not body.startswith(HEAD):
            return 0
        self.head = read_head(body[: body.find(b"\n") + 1])
        if self.head is None:
            self._fault(Fault(1, "is the head, and was changed"))
        elif self.head.name != self._name:
            self._fault(Fault(1, f"is the head of {self.head.name!r}"))
        return 1

    def _good(self, checkpoint: Checkpoint, records: int) -> None:
        if self._doubt is not None:  # this proves the checkpoint that was in doubt
            self._fault(Fault(self._doubt[0], "is a mark, and was changed"))
            self._doubt = None
        if checkpoint.records != self._said + records:
            what = f"says {checkpoint.records} records, not {self._said + records}"
            self._fault(Fault(self._lines + 1, what))

    def _bad(self, body: bytes, checkpoint: Checkpoint, first: int, marks: int) -> None:
        lines = body.split(b"\n")[marks:-1]
        before = len(self.faults)
        expected = checkpoint.records - self._said
        for each in faults(lines, first + marks, checkpoint, expected):
            self._fault(each)
        if len(self.faults) > before:
            self._doubt = None
        elif self._doubt is not None:
            self._fault(Fault(self._doubt[1], "is a checkpoint, and was changed"))
            self._doubt = None
        elif not any(each.line == first for each in self.faults):
            self._doubt = (first, self._lines + 1)

    def _end(self, body: bytes, records: int) -> None:
        self.torn = len(body) - (body.rfind(b"\n") + 1)
        self.unproved = records
        if self._doubt is not None:
            a, b = self._doubt
            self._fault(Fault(a, f"or line {b} was changed: one is a checkpoint"))
        if not self._met and self._known is not None:
            what = f"a checkpoint after {self._known.records} records was published; it is gone"
            self._fault(Fault(0, what))

    def _fault(self, fault: Fault) -> None:
        if fault not in self.faults:
            self.faults.append(fault)

    def against(self, sealed: Sealed) -> list[Fault]:
        """Every fault, with what is not as it was when the segment was sealed."""
        found = [*self.faults]
        if self.octets < sealed.octets:
            missing = sealed.octets - self.octets
            found.append(Fault(0, f"{missing} octets are missing; it ends with line {self._lines}"))
        elif self.octets > sealed.octets:
            found.append(Fault(0, f"it is {self.octets - sealed.octets} octets too long"))
        if self.records != sealed.records:
            found.append(Fault(0, f"it has {self.records} records; {sealed.records} were sealed"))
        if self.sha256 != sealed.sha256 and not found:
            last = f"line {self._lines}, its last checkpoint," if self.checkpoints else "it"
            found.append(Fault(0, f"{last} was changed"))
        return found
