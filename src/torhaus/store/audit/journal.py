"""The journal on disk: one signed line for everything that happens to the audit log's files."""

import fcntl
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import structlog

from torhaus.audit.catalogue import Catalogue
from torhaus.audit.entries import START, Link, after, linked, moment, next_line, node_name, read
from torhaus.audit.signing import AuditKey, SignatureError, digest, opened
from torhaus.model.evidence import Event, JournalEntry
from torhaus.store.audit.disk import cut_torn, last_line, sync_directory, write

log = structlog.get_logger()

NAME = "journal.jsonl"
_OPEN = os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW


class Journal:
    """Appends to `journal.jsonl` in `directory` (`data/audit`), which exists.

    Any thread and any process may append: each holds a lock (flock) while it does.
    """

    def __init__(
        self,
        directory: Path,
        key: AuditKey,
        *,
        node: str | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.directory = directory
        self.key = key
        self.node = node_name(socket.gethostname(), key) if node is None else node
        self._clock = clock
        self._known = START  # the newest line this process has seen
        self._other = ""  # a key before this one that was told of
        self.told: Callable[[], None] | None = None  # called after each line, in any thread

    def append(self, event: Event) -> JournalEntry:
        """Returns when the line is on disk; after an OSError nothing of it is."""
        with _locked(self.directory / NAME) as fd:
            added = self._add(fd, event)
        self._tell()
        return added

    def append_if(self, allowed: Callable[[], bool], event: Event) -> JournalEntry | None:
        """As `append`, unless `allowed`, asked while nobody else can append, says no."""
        with _locked(self.directory / NAME) as fd:
            added = self._add(fd, event) if allowed() else None
        if added is not None:
            self._tell()
        return added

    def _tell(self) -> None:
        if self.told is not None:
            self.told()

    def _add(self, fd: int, event: Event) -> JournalEntry:
        link, size = self._end(fd)
        line = next_line(link, event, moment(self._clock()), self.node, self.key)
        try:
            write(fd, line)
            os.fdatasync(fd)
        except OSError:
            with suppress(OSError):  # else the next one cuts it
                os.ftruncate(fd, size)
            raise
        self._known = after(line, link.number + 1)
        return read(line)

    def _end(self, fd: int) -> tuple[Link, int]:
        """The newest line, once a torn one is cut off, and where it ends."""
        path = self.directory / NAME
        torn = cut_torn(fd, path)
        if torn:
            log.warning("audit.journal_repaired", torn_bytes=torn)
        size = os.fstat(fd).st_size
        line = last_line(fd, size)
        link = after(line, self._number(line, fd)) if line else START
        if link.number < self._known.number:
            log.error("audit.journal_shrank", lines=link.number, known=self._known.number)
        if not size:
            sync_directory(self.directory)
        return link, size

    def _number(self, line: bytes, fd: int) -> int:
        """A damaged line must not stop the log: `verify` names it, and this goes on counting."""
        try:
            number, key = read(line).number, opened(line).key
        except SignatureError as error:
            log.error("audit.journal_damaged", error=str(error))
            with os.fdopen(os.dup(fd), "rb") as stream:
                stream.seek(0)
                return sum(1 for _ in stream)
        if key not in (self.key.id, self._other):
            self._other = key
            log.warning("audit.key_changed", before=key, now=self.key.id)
        return number


@contextmanager
def _locked(path: Path, how: int = fcntl.LOCK_EX) -> Iterator[int]:
    fd = os.open(path, _OPEN, 0o600)
    try:
        fcntl.flock(fd, how)
        yield fd
    finally:
        os.close(fd)


@contextmanager
def settled(directory: Path) -> Iterator[None]:
    """While nobody appends: every line that is there is on disk, and stays. Raises OSError."""
    with _locked(directory / NAME, fcntl.LOCK_SH):
        yield


class JournalReader:
    """Follows a journal that others append to. Needs no key, and checks no signature.

    `catalogue`: what it says so far. `link`: number and digest of its newest line. `damaged`:
    numbers of lines that cannot be read, or that do not go on from the one before, of which
    `torhaus audit verify` says more: delete nothing on the word of such a journal.
    """

    link: Link

    def __init__(self, directory: Path) -> None:
        self._path = directory / NAME
        self._start_over(())

    def now(self) -> Catalogue:
        """The catalogue, with what was appended since the last time. Raises OSError."""
        for _ in self.more():
            pass
        return self.catalogue

    def more(self) -> Iterator[JournalEntry]:
        """The entries that were appended since the last time. Raises OSError."""
        try:
            stream = self._path.open("rb")
        except FileNotFoundError:
            self._start_over(())
            return
        with stream:
            found = os.fstat(stream.fileno())
            identity = (found.st_dev, found.st_ino)
            if identity != self._identity or not self._goes_on(stream.fileno()):
                self._start_over(identity)
            stream.seek(self._offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    return  # it is being written, or a crash has torn it
                yield from self._take(line)

    def _goes_on(self, fd: int) -> bool:
        """Whether the newest line is still there: an append whose sync fails takes its own back."""
        line = os.pread(fd, self._newest, self._offset - self._newest)
        return not self._newest or digest(line) == self.link.digest

    def _take(self, line: bytes) -> Iterator[JournalEntry]:
        self._offset += len(line)
        self._newest = len(line)
        number = self.link.number + 1
        try:
            entry = read(line)
        except SignatureError:
            self.damaged.append(number)
            self.link = after(line, number)
            return
        if not linked(entry, self.link):
            self.damaged.append(number)
        self.link = after(line, number)
        self.catalogue.note(entry)
        yield entry

    def _start_over(self, identity: tuple[int, ...]) -> None:
        self.catalogue = Catalogue()
        self.damaged: list[int] = []
        self._identity = identity
        self._offset = 0
        self._newest = 0
        self.link = START
