"""Heads of the journal: made, signed, kept beside it, and read again."""

import os
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

import msgspec

from torhaus.audit.attest import Keys
from torhaus.audit.entries import moment
from torhaus.audit.marks import CHECKPOINT, read_checkpoint
from torhaus.audit.signing import AuditKey, SignatureError, digest, opened, verify
from torhaus.model.evidence import Checkpoint, JournalHead, LiveChain
from torhaus.store.audit.disk import put
from torhaus.store.audit.journal import NAME as JOURNAL
from torhaus.store.audit.journal import JournalReader, settled

NAME = "head.json"
_STEP = 1024 * 1024
_MOST = 1024 * 1024
_decode = msgspec.json.Decoder(JournalHead).decode


class HeadError(Exception):
    """A head that is not to be used or replaced. The text is a sentence for people."""


def snapshot(audit: Path, reader: JournalReader, node: str, now: float) -> JournalHead:
    """How things stand. Raises OSError."""
    with settled(audit):
        found = reader.now()
    live = {}
    for name in found.begun:
        chain = newest(audit / "hot" / name)
        if chain is not None:
            live[name] = chain
    link = reader.link
    return JournalHead(number=link.number, digest=link.digest, at=moment(now), node=node, live=live)


def newest(path: Path) -> LiveChain | None:
    """The last checkpoint of a segment, read from its end; None without one."""
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except FileNotFoundError:
        return None
    try:
        text, at = b"", os.fstat(fd).st_size
        os.fdatasync(fd)  # its writer may still wait for the disk, and take it back
        while at > 0:
            step = min(_STEP, at)
            at -= step
            text = os.pread(fd, step, at) + text
            if (found := _last(text)) is not None:
                return LiveChain(records=found.records, chain=found.chain)
    finally:
        os.close(fd)
    return None


def _last(text: bytes) -> Checkpoint | None:
    """The last whole checkpoint in the end of a segment."""
    start = end = len(text)
    while start > 0 and (start := text.rfind(b"\n" + CHECKPOINT, 0, end) + 1) > 0:
        found = read_checkpoint(text[start : text.find(b"\n", start) + 1])
        if found is not None:
            return found
        end = start
    return None


def signed(head: JournalHead, key: AuditKey) -> bytes:
    return key.signed(msgspec.json.encode(head))


def opened_head(line: bytes, keys: Keys) -> JournalHead:
    """Raises SignatureError."""
    parts = opened(line)
    key = keys.get(parts.key)
    if key is None:
        raise SignatureError(f"it is signed by the unknown key {parts.key[:64]!r}")
    verify(parts, key)
    try:
        return _decode(parts.entry)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise SignatureError("what was signed is no head of a journal") from error


def read_head(path: Path, keys: Keys) -> JournalHead:
    """Raises OSError; SignatureError."""
    with path.open("rb") as stream:
        line = stream.read(_MOST)
    return opened_head(line if line.endswith(b"\n") else line + b"\n", keys)


def known(audit: Path, keys: Keys) -> Mapping[str, LiveChain]:
    """The checkpoints that the head beside the journal tells of. Raises OSError, SignatureError."""
    try:
        return read_head(audit / NAME, keys).live
    except FileNotFoundError:
        return {}


def keep(path: Path, line: bytes) -> None:
    """In the place of the one before, for everybody to read. Raises OSError."""
    put(path, line, 0o644)


def goes_on(audit: Path, path: Path, keys: Keys) -> None:
    """That the head in a file may be replaced: it is one of this journal's.

    One that is not is evidence, for the journal was cut or begun anew. Raises HeadError, OSError.
    """
    try:
        head = read_head(path, keys)
    except FileNotFoundError:
        return
    except SignatureError as error:
        raise HeadError(f"{path.name} is kept as it is: {error}") from error
    if head.number and digest_at(audit, head.number) != head.digest:
        raise HeadError(
            f"{path.name} tells of another journal than the one that is here, and is kept as it "
            "is: run torhaus audit verify"
        )


def digest_at(audit: Path, number: int) -> str | None:
    """Of the journal's line of that number; None where it ends before. Raises OSError."""
    try:
        stream = (audit / JOURNAL).open("rb")
    except FileNotFoundError:
        return None
    with stream:
        line = next(islice(stream, number - 1, None), None)
    return None if line is None else digest(line)
