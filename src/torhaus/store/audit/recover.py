"""Segments that nobody sealed: their process died, or an older version wrote them."""

import errno
import fcntl
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO

import structlog

from torhaus.audit.catalogue import Catalogue
from torhaus.audit.chain import Span
from torhaus.audit.examine import Examiner, blocks
from torhaus.audit.marks import is_record
from torhaus.audit.reconcile import older
from torhaus.model.evidence import LiveChain, Sealed
from torhaus.store.audit.disk import cut_torn, sync_directory
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.segments import segments

log = structlog.get_logger()

CHUNK = 4 * 1024 * 1024
_OPEN = os.O_RDWR | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


def recover(directory: Path, journal: Journal, known: Mapping[str, LiveChain]) -> Iterator[Sealed]:
    """Seals every segment that no living process writes and no line of the journal seals.

    A torn last line is cut off first, and kept beside it; so is what its process was told to have
    failed. What contradicts its own checkpoints,
    or those in `known`, is sealed as broken. Yields what was sealed. Raises OSError.
    """
    reader = JournalReader(journal.directory)
    for path in segments(directory):
        if _settled(reader.now(), path.name):
            continue
        try:
            fd = os.open(path, _OPEN)
        except FileNotFoundError:
            continue  # compacted by another process meanwhile
        with os.fdopen(fd, "rb", buffering=0) as file:
            if not stat.S_ISREG(os.fstat(fd).st_mode):  # a pipe would hold us up for ever
                raise OSError(errno.EINVAL, "it is no plain file", str(path))
            if not _locked(fd):
                continue
            found = reader.now()  # with the lock: another process may just have sealed it
            if _settled(found, path.name):
                continue
            torn = cut_torn(fd, path, found.left.get(path.name))
            if torn:
                log.warning("audit.repaired", segment=path.name, torn_bytes=torn)
            sealed = _examined(file, path, found, known.get(path.name))
            if sealed is not None:
                journal.append(sealed)
                _tell(sealed)
                yield sealed


def chunks(file: BinaryIO) -> Iterator[bytes]:
    while chunk := file.read(CHUNK):
        yield chunk


def _locked(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return os.fstat(fd).st_nlink > 0


def _settled(found: Catalogue, name: str) -> bool:
    known = (found.sealed, found.broken, found.compacted, found.deleted)
    return any(name in each for each in known)


def _examined(
    file: BinaryIO, path: Path, found: Catalogue, known: LiveChain | None
) -> Sealed | None:
    """None for one that holds nothing and was never begun: it is removed."""
    examiner, span, records = Examiner(path.name, known), Span(), 0
    for body, proof in blocks(chunks(file)):
        examiner.block(body, proof)
        lines = [line for line in body.split(b"\n") if is_record(line)]
        records += len(lines)
        span.add(lines)
    begun = path.name in found.begun
    if not records and not begun:
        path.unlink()
        sync_directory(path.parent)
        return None
    old = older(found, span.last.decode())
    state, why = _verdict(examiner, begun=begun, old=old)
    missing = found.left.get(path.name, 0) - examiner.octets
    if missing > 0:
        state, why = "broken", f"{missing} octets are missing that were acknowledged"
    return Sealed(
        segment=path.name,
        records=examiner.records,
        octets=examiner.octets,
        chain=examiner.chain,
        sha256=examiner.sha256,
        first=span.first.decode(),
        last=span.last.decode(),
        proof=state,
        unproved=examiner.unproved,
        why=why,
    )


def _verdict(examiner: Examiner, *, begun: bool, old: bool) -> tuple[str, str]:
    if begun and examiner.head is None and not examiner.faults:
        return "broken", "its head is missing"
    if examiner.faults:
        more = f", and {len(examiner.faults) - 3} more" if len(examiner.faults) > 3 else ""
        return "broken", "; ".join(map(str, examiner.faults[:3])) + more
    if begun:
        return "recovered", ""
    # Whoever can write here but has no key must not have us sign what he wrote.
    if examiner.head is not None:
        return "broken", "the journal does not know that it was begun"
    if not old:
        return "broken", "it has no head, and is younger than the journal"
    return "found", "an older version wrote it, without checkpoints"


def _tell(sealed: Sealed) -> None:
    if sealed.proof == "broken":
        log.error("audit.segment_broken", segment=sealed.segment, why=sealed.why)
    else:
        log.warning(
            "audit.segment_recovered",
            segment=sealed.segment,
            records=sealed.records,
            unproved=sealed.unproved,
            proof=sealed.proof,
        )
