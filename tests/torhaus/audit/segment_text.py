"""The text of a sealed segment, made as the writer makes it."""

from torhaus.audit.chain import Chain
from torhaus.audit.examine import Examiner, blocks
from torhaus.audit.marks import head_line
from torhaus.model.evidence import LiveChain, Sealed, SegmentHead

AT = "2025-10-20T14:23:11.234Z"
NAME = "seg-1.jsonl"


def record(number: int) -> bytes:
    return b'{"timestamp":"2025-10-20T14:23:11.%03dZ","id":%d}\n' % (number, number)


def written(counts: tuple[int, ...] = (3, 4, 3)) -> tuple[bytes, Sealed]:
    """So many records before each checkpoint."""
    chain, text, number = Chain(), b"", 0
    head = head_line(SegmentHead(name=NAME, node="gate-1", began=AT))
    chain.mark(head)
    text += head
    for count in counts:
        lines = b"".join(record(number + each) for each in range(count))
        number += count
        chain.add(lines)
        text += lines + chain.checkpoint(AT)
    sealed = Sealed(
        segment=NAME,
        records=number,
        octets=len(text),
        chain=chain.chain,
        sha256=chain.sha256,
        first=AT,
        last=AT,
    )
    return text, sealed


def examined(text: bytes, known: LiveChain | None = None, chunk: int = 1 << 20) -> Examiner:
    examiner = Examiner(NAME, known)
    parts = [text[at : at + chunk] for at in range(0, len(text), chunk)]
    for body, proof in blocks(parts):
        examiner.block(body, proof)
    return examiner
