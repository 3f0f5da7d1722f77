"""The data directory: who can read it, and whether the audit log in it is whole."""

import os
import shlex
import shutil
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from torhaus.audit.line import read
from torhaus.audit.marks import is_record
from torhaus.cli.audit.records import directory
from torhaus.cli.doctor.finding import Finding, bad, doubt, good
from torhaus.cli.output import counted
from torhaus.store.audit.segments import being_written, segments
from torhaus.store.keyring import NAME as VAULT
from torhaus.store.keyring import VARIABLE
from torhaus.store.secret_key import NAME, SIZE

LITTLE = 1024**3
"""Bytes of free disk under which to think of more: on a full disk every call is refused."""

READ_WHOLE = 8
"""Segments read to their last record; older ones are only looked at."""


def findings(data_dir: Path) -> Iterator[Finding]:
    """All that can be said of the data without changing any of it."""
    try:
        found = data_dir.stat()
    except FileNotFoundError:
        yield good("data directory", f"{data_dir} is made at the first start")
        return
    except OSError as error:
        yield _unreadable("data directory", error)
        return
    yield _rights(data_dir, found)
    if stat.S_ISDIR(found.st_mode):
        yield _space(data_dir)
        yield _seal(data_dir / NAME)
        yield _vault(data_dir / VAULT)
        yield _audit(directory(data_dir))


def _unreadable(check: str, error: OSError) -> Finding:
    return bad(check, f"{error.filename} cannot be read: {error.strerror}", "run as its owner")


def _rights(path: Path, found: os.stat_result) -> Finding:
    check = "data directory"
    if not stat.S_ISDIR(found.st_mode):
        return bad(check, f"{path} is not a directory", "give another: --data-dir DIR")
    mode = stat.S_IMODE(found.st_mode)
    fix = f"chmod 700 {shlex.quote(str(path))}"
    if found.st_uid != os.geteuid():
        return bad(check, f"{path} belongs to another user", "run as its owner, or change it")
    if mode & 0o700 != 0o700:
        return bad(check, f"{path} cannot be written by its owner ({mode:04o})", fix)
    if mode & 0o022:
        return bad(check, f"{path} can be written by others ({mode:04o})", fix)
    if mode & 0o077:
        return doubt(check, f"{path} can be read by others ({mode:04o})", fix)
    return good(check, f"{path} is its owner's alone ({mode:04o})")


def _space(path: Path) -> Finding:
    free = shutil.disk_usage(path).free
    message = f"{free / 1024**3:.1f} GiB are free"
    if free >= LITTLE:
        return good("disk", message)
    return doubt("disk", message, "make room: when the disk is full, every call is refused")


def _seal(path: Path) -> Finding:
    check = "seal key"
    try:
        found = path.stat()
    except FileNotFoundError:
        return good(check, f"{path} is made at the first start")
    except OSError as error:
        return _unreadable(check, error)
    mode = stat.S_IMODE(found.st_mode)
    if found.st_size != SIZE:
        return bad(check, f"{path} does not hold {SIZE} bytes", "restore it from a backup")
    if mode & 0o077:
        fix = f"chmod 600 {shlex.quote(str(path))}; who read it can forge sessions, so renew it"
        return bad(check, f"{path} is open to others ({mode:04o})", fix)
    return good(check, f"{path} is its owner's alone ({mode:04o})")


def _vault(path: Path) -> Finding:
    check = "vault key"
    try:
        found = path.stat()
    except FileNotFoundError:
        return good(check, f"{path} is made at the first start, unless {VARIABLE} holds keys")
    except OSError as error:
        return _unreadable(check, error)
    mode = stat.S_IMODE(found.st_mode)
    if mode & 0o077:
        fix = f"chmod 600 {shlex.quote(str(path))}, then torhaus secrets rekey"
        return bad(check, f"{path} is open to others ({mode:04o})", fix)
    return good(check, f"{path} is its owner's alone ({mode:04o})")


class _Seen(msgspec.Struct):
    records: int = 0
    torn: list[str] = msgspec.field(default_factory=list)
    damaged: list[str] = msgspec.field(default_factory=list)


def _audit(where: Path) -> Finding:
    check = "audit log"
    seen = _Seen()
    try:
        newest_first = segments(where)[::-1]
        for number, path in enumerate(newest_first):
            _look(path, seen, whole=number < READ_WHOLE)
    except OSError as error:
        return _unreadable(check, error)
    if seen.damaged:
        fix = "restore the segment from a backup, and find out who wrote to it"
        return bad(check, f"records are damaged in {_names(seen.damaged)}", fix)
    if seen.torn:
        fix = "start Torhaus once: it cuts the torn end off and keeps it beside the segment"
        return doubt(check, f"a crash has torn the end of {_names(seen.torn)}", fix)
    count = len(newest_first)
    told = f"{counted(seen.records, 'record')} in {counted(count, 'segment')}"
    if count > READ_WHOLE:
        told += f", of which the newest {READ_WHOLE} were read whole"
    return good(check, told)


def _look(path: Path, seen: _Seen, *, whole: bool) -> None:
    """Raises OSError."""
    try:
        stream = path.open("rb")
    except FileNotFoundError:
        return  # sealed empty, and removed meanwhile
    with stream:
        if _torn(stream):
            seen.torn.append(path.name)
        if whole and not _readable(stream, seen):
            seen.damaged.append(path.name)


def _readable(stream: BinaryIO, seen: _Seen) -> bool:
    """Whether every whole line is a record."""
    for line in stream:
        if not line.endswith(b"\n") or not is_record(line):
            continue  # torn, a mark, or a proof that the disk accepts data
        seen.records += 1
        if read(line) is None:
            return False
    return True


def _torn(stream: BinaryIO) -> bool:
    """Whether the last line has no end, and nobody is writing it."""
    size = stream.seek(0, os.SEEK_END)
    last = os.pread(stream.fileno(), 1, size - 1) if size else b"\n"
    stream.seek(0)
    return last != b"\n" and not being_written(stream.fileno())


def _names(found: list[str]) -> str:
    more = f" and {len(found) - 3} more" if len(found) > 3 else ""
    return ", ".join(found[:3]) + more
