"""Records, ledgers on real directories, and what is in them afterwards."""

import asyncio
import fcntl
import os
import resource
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tests.torhaus.store.audit.journals import journal
from torhaus.audit.marks import is_record
from torhaus.model.record import Record, RecordAccess, RecordResult, RecordUser
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.segments import segments
from torhaus.store.audit.writer import LedgerSettings


def record(request_id: str, **changes: Any) -> Record:
    made = Record(
        "2025-10-20T14:23:11.234Z",
        request_id,
        RecordUser("alice@example.org", "developer", "192.168.1.100"),
        "github",
        "list_issues",
        msgspec.Raw(b'{"repo":"myorg/myrepo"}'),
        RecordResult("success", 12, False, 234),
        RecordAccess("developer_read_only", True, "developer may read"),
    )
    return msgspec.structs.replace(made, **changes)


def proof(directory: Path) -> Path:
    """The data directory of the journal that belongs to segments in `directory`."""
    return directory.with_name(f"{directory.name}-proof")


def made(directory: Path, **settings: Any) -> SegmentLedger:
    return SegmentLedger(directory, journal(proof(directory)), LedgerSettings(**settings))


@asynccontextmanager
async def opened(directory: Path, **settings: Any) -> AsyncIterator[SegmentLedger]:
    ledger = made(directory, **settings)
    ledger.start()
    try:
        yield ledger
    finally:
        await ledger.close()


@asynccontextmanager
async def hanging(ledger: SegmentLedger) -> AsyncIterator[None]:
    """The disk takes nothing and does not fail: the segment that is open is a full pipe."""
    segment, run = ledger._writer._segment, ledger._writer.run
    assert segment is not None
    (thread,) = [each for each in threading.enumerate() if getattr(each, "_target", None) == run]
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while True:
            os.write(writer, bytes(4096))
    except BlockingIOError:
        os.set_blocking(writer, True)
    os.dup2(writer, segment._segment._fd, inheritable=False)
    os.close(writer)
    try:
        yield
    finally:
        os.close(reader)  # an error at last, and the thread comes free
        await until(lambda: not thread.is_alive())


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    """What stands for a full disk: writes take what fits, and then fail with EFBIG."""
    limit = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limit[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limit)


def filled(ledger: SegmentLedger, prefix: str) -> tuple[list[str], Awaitable[None]]:
    """Notes records until one has to wait: all their ids, and what the last one waits for."""
    for count in range(1, 100):
        waiter = ledger.note(record(f"{prefix}{count}"))
        if waiter is not None:
            return [f"{prefix}{i}" for i in range(1, count + 1)], waiter
    raise AssertionError("the queue never filled")


def whole_lines(directory: Path) -> int:
    """How many there are, though more are being written."""
    return sum(
        is_record(line) for path in segments(directory) for line in path.read_bytes().splitlines()
    )


def written(directory: Path) -> list[str]:
    """The request ids of all lines, each of which must be a whole record."""
    lines = [line for path in segments(directory) for line in path.read_bytes().split(b"\n")]
    return [msgspec.json.decode(line, type=Record).request_id for line in lines if is_record(line)]


async def until(condition: Callable[[], bool]) -> None:
    """For what another thread does in its own time. Fails after a minute."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        await asyncio.sleep(0.002)


def sealed(path: Path) -> bool:
    with path.open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True
