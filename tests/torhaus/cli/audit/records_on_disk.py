"""Audit segments with made-up records, as a gateway would write them."""

from pathlib import Path

import msgspec

from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser
from torhaus.store.audit.lines import add_line


def record(second: int, operation: str) -> bytes:
    """A whole line."""
    made = Record(
        f"2026-01-01T00:00:{second:02}.000Z",
        f"req_{second}",
        RecordUser("alice@example.com", "developer", "127.0.0.1"),
        "git",
        operation,
        msgspec.Raw(b"{}"),
        RecordResult("success", None, cached=False, duration_ms=1.0),
        RecordAccess("developer: git.read", allowed=True, reason="because"),
    )
    line = bytearray()
    add_line(line, made)
    return bytes(line)


def segment(where: Path, number: int, content: bytes) -> Path:
    where.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = where / f"seg-20260101T0000{number:02}000000Z-1-aa.jsonl"
    path.write_bytes(content)
    return path


def operations(found: list[bytes]) -> list[str]:
    return [msgspec.json.decode(line)["operation"] for line in found]
