"""Whole audit logs on disk: written by the real writer, copied, tampered with, verified."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path

from tests.torhaus.store.audit.journals import journal
from tests.torhaus.store.audit.ledgers import record
from torhaus.model.evidence import JournalHead
from torhaus.store.audit.heads import signed, snapshot
from torhaus.store.audit.journal import NAME, JournalReader
from torhaus.store.audit.keys import audit_key, keys_directory, public_keys
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.segments import segments
from torhaus.store.audit.verify import Report, Wanted, verify
from torhaus.store.audit.writer import LedgerSettings


def write(data: Path, count: int, *, start: int = 0, segment_bytes: int = 4000) -> None:
    """So many records, by a process that starts and ends as it should."""

    async def story() -> None:
        ledger = SegmentLedger(
            data / "audit" / "hot",
            journal(data),
            LedgerSettings(segment_bytes=segment_bytes, checkpoint_records=5),
        )
        ledger.start()
        for number in range(start, start + count):
            waiter = ledger.note(record(f"r{number}"))
            assert waiter is not None
            await waiter
        assert await ledger.close()

    asyncio.run(story())


def left_live(data: Path, count: int) -> Path:
    """As if a process had died after so many records: the last segment has no seal."""
    before = len(lines(data))
    write(data, count, segment_bytes=1 << 20)
    path = segments(data / "audit" / "hot")[-1]
    (data / "audit" / NAME).write_bytes(b"".join(lines(data)[: before + 1]))
    return path


def lines(data: Path) -> list[bytes]:
    """The journal's."""
    try:
        return (data / "audit" / NAME).read_bytes().splitlines(keepends=True)
    except FileNotFoundError:
        return []


def head(data: Path) -> JournalHead:
    audit = data / "audit"
    return snapshot(audit, JournalReader(audit), "gate-1", 0.0)


def head_line(data: Path) -> bytes:
    return signed(head(data), audit_key(data, os.urandom))


def checked(data: Path, *heads: JournalHead, since: str = "") -> Report:
    audit = data / "audit"
    named = {f"head {number}": each for number, each in enumerate(heads, 1)}
    keys = public_keys(keys_directory(audit))
    return verify(audit, Wanted(keys=keys, heads=named, since=since))


def told(report: Report) -> list[str]:
    return [
        f"{each.where}:{each.line}: {each.what}" if each.line else f"{each.where}: {each.what}"
        for each in report.troubles
    ]


def edited(path: Path, change: Callable[[list[bytes]], list[bytes]]) -> None:
    """Changes a file's lines. They are numbered from 0 here."""
    before = path.read_bytes().splitlines(keepends=True)
    after = change([*before])
    assert after != before
    path.write_bytes(b"".join(after))
