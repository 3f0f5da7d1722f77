"""The audit log's newest records, read from its segments while others write them."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path

from torhaus.audit.line import is_intent, read
from torhaus.audit.marks import CHECKPOINT, is_record
from torhaus.store.audit.newest import newest
from torhaus.store.audit.segments import segments

Wanted = Callable[[bytes], bool]
_STEP = 256 * 1024
_WRITERS = 8
"""Segments looked at however many records are wanted: processes write side by side."""


def directory(data_dir: Path) -> Path:
    """Where the gateway keeps its newest records."""
    return data_dir / "audit" / "hot"


def by_time(lines: list[bytes]) -> list[bytes]:
    """Lines in the order of their records' times; what is no record comes first."""

    def when(line: bytes) -> str:
        record = read(line)
        return "" if record is None else record.timestamp

    return sorted(lines, key=when)


def _last(path: Path, count: int, wanted: Wanted) -> tuple[list[bytes], int]:
    """The last records of one file, and where its whole lines end. Reads from its end."""
    data = b""
    try:
        with path.open("rb") as stream:
            at = size = stream.seek(0, 2)
            step = _STEP
            while at > 0 and _fewer(data, count, wanted):
                step = min(step, at)
                at = stream.seek(at - step)
                data = stream.read(step) + data
                step *= 2  # what is rare may stand far back: twice as much is looked at again
    except FileNotFoundError:
        return [], 0  # sealed empty, and removed meanwhile
    *lines, rest = data.split(b"\n")
    end = size - len(rest)
    while lines and not lines[-1].strip():
        end -= len(lines.pop()) + 1  # a proof that the disk accepts data, soon taken back
    whole = lines if at == 0 else lines[1:]
    records = [line for line in whole if wanted(line)]
    return records[-count:] if count else [], end


def _fewer(data: bytes, count: int, wanted: Wanted) -> bool:
    """Whether there are not more than so many records in it, the first line being a part of one."""
    lines = data.count(b"\n") - data.count(b"\n" + CHECKPOINT)
    return lines <= count or sum(map(wanted, data.split(b"\n")[1:])) < count


def ended(line: bytes) -> bool:
    """Whether it is the record of something that has ended: a call has one of those."""
    return is_record(line) and not is_intent(line)


def with_filed(
    audit: Path,
    lines: list[bytes],
    count: int,
    wanted: Wanted,
    credentials: Collection[str] = (),
) -> list[bytes]:
    """As many as `count`, with the newest of day files before those of segments. Raises OSError.

    `credentials`: as the files have them; any for none. For a while after their records went to a
    day file, segments are still there.
    """
    here = {_identity(line) for line in lines}
    filed = newest(audit, count + len(lines), wanted, credentials)
    older = [line for line in filed if _identity(line) not in here]
    return by_time([*older, *lines])[-count:]


def _identity(line: bytes) -> tuple[str, ...]:
    record = read(line)
    if record is None:
        return (line.decode("utf-8", "replace"),)
    return (record.timestamp, record.request_id, record.operation, record.phase)


@dataclass(slots=True)
class Follower:
    """What is added to the segments of a directory, over rotation and by any process.

    `wanted`: which lines count.
    """

    where: Path
    wanted: Wanted = ended
    _read: dict[Path, int] = field(default_factory=dict)

    def newest(self, count: int) -> list[bytes]:
        """The last records of all segments together, oldest first; `more` goes on after them.

        Raises OSError.
        """
        found: list[bytes] = []
        for number, path in enumerate(reversed(segments(self.where))):
            if len(found) < count or number < _WRITERS:
                lines, self._read[path] = _last(path, count, self.wanted)
                found += lines
            else:
                self._read[path] = _size(path)
        return by_time(found)[-count:] if count else []

    def more(self) -> list[bytes]:
        """The records that became whole since the last time. Raises OSError."""
        found: list[bytes] = []
        present = segments(self.where)
        for path in present:
            found += self._added(path)
        self._read = {path: self._read[path] for path in present}
        return by_time(found)

    def _added(self, path: Path) -> list[bytes]:
        start = self._read.setdefault(path, 0)
        size = _size(path)
        if size <= start:
            self._read[path] = size  # a write that failed was taken back
            return []
        try:
            with path.open("rb") as stream:
                stream.seek(start)
                data = stream.read(size - start)
        except FileNotFoundError:
            return []
        lines = []
        for line in data.split(b"\n")[:-1]:
            if not line.strip():
                break  # the writer proves that the disk accepts data, and takes it back
            start += len(line) + 1
            if self.wanted(line):
                lines.append(line)
        self._read[path] = start
        return lines


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
