"""Records that a receiver will never take, set aside with what it said."""

import os
from pathlib import Path

import msgspec

from torhaus.store.audit.disk import sync_directory, write

MOST_SAID = 1000
"""Characters kept of an answer."""


class Aside:
    """Appends to `<name>.rejected.jsonl`: `{"source", "number", "why", "record" or "line"}`."""

    def __init__(self, directory: Path, name: str) -> None:
        self._path = directory / f"{name}.rejected.jsonl"

    def put(self, source: str, number: int, line: bytes, why: str) -> None:
        """Returns when it is on disk. Raises OSError."""
        entry = {"source": source, "number": number, "why": why[:MOST_SAID], **_content(line)}
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(self._path, flags, 0o600)
        try:
            begin = b"\n" if _torn(self._path, os.fstat(fd).st_size) else b""
            write(fd, begin + msgspec.json.encode(entry) + b"\n")
            os.fsync(fd)
        finally:
            os.close(fd)
        sync_directory(self._path.parent)


def _content(line: bytes) -> dict[str, object]:
    try:
        return {"record": msgspec.json.decode(line)}
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return {"line": line[:65536].decode("utf-8", "replace")}


def _torn(path: Path, size: int) -> bool:
    """Whether a crash left half a line at the end."""
    if size == 0:
        return False
    with path.open("rb") as stream:
        stream.seek(-1, os.SEEK_END)
        return stream.read(1) != b"\n"
