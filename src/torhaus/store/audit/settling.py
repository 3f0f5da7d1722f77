"""Calls that were under way when a process died: its intents without outcomes get one.

Each process has a file of its own beside the segments, `running/<prefix>`, locked (flock) for as
long as it lives, and removed when it ends with all outcomes written. One that is there and not
locked is of a process that died. Its name is the prefix of the ids of the process's calls; it
holds the time (Unix seconds) since when some of them may be without an outcome.
"""

import asyncio
import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import suppress
from math import inf
from pathlib import Path

import msgspec

from torhaus.audit.shape import interrupted
from torhaus.model.ports import Ledger
from torhaus.model.record import INTENT, Record
from torhaus.store.audit.disk import prepare, sync_directory
from torhaus.store.audit.segments import segments

MARGIN = 600.0
"""Seconds that a clock may have been set by while the process ran."""

_PHASE = b'"phase":"'
_STEP = 4 * 1024 * 1024
_record = msgspec.json.Decoder(Record).decode
_OWN = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
_OTHERS = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW


class Attendance:
    """The file of this process. Every method may raise OSError."""

    def __init__(self, directory: Path, prefix: str) -> None:
        self._path = directory / prefix
        self._fd = -1
        self._since = 0.0

    def begin(self, now: float) -> None:
        prepare(self._path.parent)
        self._fd = os.open(self._path, _OWN, 0o600)
        fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self._write(now)
        sync_directory(self._path.parent)

    def mark(self, since: float) -> None:
        """All calls that left their intents before `since` have their outcomes.

        After a power cut an older mark may be there: more is read then, nothing is missed. Where
        the file has become another, as on a disk that was repaired, that one is taken.
        """
        if self._fd < 0:
            return
        if not self._ours():
            self._again()
        elif since == self._since:
            return
        self._write(since)

    def _ours(self) -> bool:
        found = _stat(self._path)
        return found is not None and os.path.samestat(os.fstat(self._fd), found)

    def _again(self) -> None:
        """Only in a directory that is there: an empty one may be what a disk was mounted on."""
        fd = os.open(self._path, _OWN, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(fd)
            raise
        with suppress(OSError):  # of a dead disk
            os.close(self._fd)
        self._fd = fd

    def end(self) -> None:
        """All calls have their outcomes."""
        if self._fd < 0:
            return
        self._path.unlink(missing_ok=True)
        self.leave()

    def leave(self) -> None:
        """The next start has to settle calls of this process."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, since: float) -> None:
        # Always as long, and written at once: a reader finds one mark or the other.
        os.pwrite(self._fd, b"%020.3f\n" % since, 0)
        self._since = since


class Died(msgspec.Struct, frozen=True):
    """A process that died. `fd` holds the lock on its file, so that one heir settles its calls."""

    path: Path
    prefix: str
    since: float
    fd: int

    def settled(self) -> None:
        """Its calls have their outcomes, durably."""
        self.path.unlink(missing_ok=True)
        os.close(self.fd)

    def leave(self) -> None:
        """Somebody else settles them, later."""
        os.close(self.fd)


def died(directory: Path) -> list[Died]:
    """Processes that died and that nobody else settles now. Raises OSError."""
    found = []
    with suppress(FileNotFoundError):
        for path in sorted(directory.iterdir()):
            if path.is_symlink() or not path.is_file():
                continue  # no process of ours made it
            one = _died(path)
            if one is not None:
                found.append(one)
    return found


def _died(path: Path) -> Died | None:
    try:
        fd = os.open(path, _OTHERS)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        return None
    except OSError:
        os.close(fd)
        raise
    if not os.path.samestat(os.fstat(fd), _stat(path) or os.stat_result((0,) * 10)):
        os.close(fd)  # settled by somebody else while we opened it
        return None
    return Died(path, path.name, _since(os.pread(fd, 64, 0)), fd)


def _since(mark: bytes) -> float:
    try:
        return float(mark)
    except ValueError:
        return 0.0  # it died before it could say: everything is read


def _stat(path: Path) -> os.stat_result | None:
    try:
        return path.stat()
    except FileNotFoundError:
        return None


def needed(directory: Path, running: Path) -> set[str]:
    """Names of the segments in which a call may have an intent whose outcome is still to come.

    Of living processes and of dead ones. Whoever moves segments leaves these where they are.
    Raises OSError.
    """
    first = inf
    with suppress(FileNotFoundError):
        for path in running.iterdir():
            with suppress(FileNotFoundError):
                first = min(first, _since(path.read_bytes()[:64]))
    names = set()
    for path in segments(directory):
        found = _stat(path)
        if found is not None and found.st_mtime >= first - MARGIN:
            names.add(path.name)
    return names


def unsettled(directory: Path, dead: Sequence[Died]) -> list[Record]:
    """The outcomes that are missing: of every intent of these processes. Raises OSError.

    Reads only what was written since the first of them may have had one open.
    """
    if not dead:
        return []
    prefixes = tuple(each.prefix for each in dead)
    first = min(each.since for each in dead) - MARGIN
    intents: dict[str, Record] = {}
    ended: set[str] = set()
    for path in segments(directory):
        found = _stat(path)
        if found is None or found.st_mtime < first:
            continue
        for record in _phased(path):
            if not record.request_id.startswith(prefixes):
                continue
            if record.phase == INTENT:
                intents[record.request_id] = record
            else:
                ended.add(record.request_id)
    return [interrupted(each) for id, each in intents.items() if id not in ended]


def _phased(path: Path) -> Iterator[Record]:
    """Its intents and outcomes. What is no record is for `verify` to tell of."""
    for line in _lines(path):
        if _PHASE not in line:
            continue
        with suppress(msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            found = _record(line)
            if found.phase:
                yield found


def _lines(path: Path) -> Iterator[bytes]:
    """The whole ones. Not the file's own iterator, which is slower by half."""
    rest = b""
    with path.open("rb") as stream:
        while data := stream.read(_STEP):
            lines = (rest + data).split(b"\n")
            rest = lines.pop()
            yield from lines


async def settle(ledger: Ledger, directory: Path, dead: Sequence[Died]) -> int:
    """Note the outcomes that are missing; returns how many. Raises OSError, LedgerError.

    They are as durable as configured: `Died.settled` has to wait for that.
    """
    missing = await asyncio.to_thread(unsettled, directory, dead)
    waits = [ledger.note(each) for each in missing]
    await asyncio.gather(*(each for each in waits if each is not None))
    return len(missing)
