"""The thread that looks after the proof: seals what was left behind, and publishes heads."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import structlog

from torhaus.model.evidence import JournalHead
from torhaus.model.publishing import Evidence, HeadTarget, Keeper, Kept, PublishError
from torhaus.store.audit.heads import NAME, HeadError, goes_on, keep, signed, snapshot
from torhaus.store.audit.journal import Journal, JournalReader
from torhaus.store.audit.publish.keepers import keeper
from torhaus.store.audit.recover import recover

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between heads while records come; a seal hastens the next one."""

LOCK = "publish.lock"


class Publisher:
    """One process of those that share a directory does it; another takes over when it ends."""

    def __init__(
        self,
        journal: Journal,
        keepers: Sequence[Keeper] = (),
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._journal = journal
        self._audit: Path = journal.directory
        self._keepers = keepers
        self._clock = clock
        self._reader = JournalReader(self._audit)
        self._states = [Kept(name=each.name) for each in keepers]
        self._done: list[JournalHead | None] = [None for _ in keepers]
        self._kept: JournalHead | None = None
        self._trouble: str | None = None
        self._lock: int | None = None
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        # A daemon: whoever keeps heads may hang, the process must end all the same.
        self._thread = threading.Thread(target=self._run, name="audit heads", daemon=True)
        self._thread.start()

    def wake(self) -> None:
        """Something was added to the journal. Any thread may call it."""
        self._wake.set()

    def evidence(self) -> Evidence:
        return Evidence(trouble=self._trouble, published=tuple(self._states))

    def close(self, timeout: float = 2.0) -> None:
        """Publishes once more, if that does not take long."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)

    def _run(self) -> None:
        while True:
            last = self._stop.is_set()
            self._wake.clear()
            try:
                self.round()
            except Exception:
                log.exception("audit.heads_bug")
            if last:
                break
            self._wake.wait(EVERY)
        for each in self._keepers:
            each.close()
        if self._lock is not None:
            os.close(self._lock)

    def round(self) -> None:
        """One look: what is left behind is sealed, and what is new is published."""
        if not self._ours():
            return
        try:
            known = {} if self._kept is None else self._kept.live
            for _ in recover(self._audit / "hot", self._journal, known):
                pass  # it has told of each
            head = snapshot(self._audit, self._reader, self._journal.node, self._clock())
            line = signed(head, self._journal.key)
            self._keep(head, line)
        except OSError as error:
            where = "" if error.filename is None else f": {Path(error.filename).name}"
            self._say(f"the journal's head cannot be kept: {error.strerror}{where}")
            return
        for number, each in enumerate(self._keepers):
            if not _same(head, self._done[number]):
                self._publish(number, each, head, line)

    def _ours(self) -> bool:
        if self._lock is None:
            fd = os.open(self._audit / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(fd)
                return False
            self._lock = fd
        return True

    def _keep(self, head: JournalHead, line: bytes) -> None:
        """Beside the journal. The head of another journal stays: it is evidence."""
        path = self._audit / NAME
        if self._kept is None or head.number < self._kept.number:
            try:
                goes_on(self._audit, path, {self._journal.key.id: self._journal.key.public()})
            except HeadError as error:
                self._say(str(error))
                return
        if not _same(head, self._kept):
            keep(path, line)
        self._kept = head
        self._say(self._found())

    def _found(self) -> str | None:
        if self._reader.damaged:
            return f"line {self._reader.damaged[0]} of the journal is damaged"
        broken = self._reader.catalogue.broken
        if broken:
            count = f"{len(broken)} segments are" if len(broken) > 1 else "a segment is"
            return f"{count} not what was written: {min(broken)}"
        return None

    def _say(self, trouble: str | None) -> None:
        if trouble is not None and trouble != self._trouble:
            log.error("audit.evidence_troubled", trouble=trouble)
        self._trouble = trouble

    def _publish(self, number: int, keeper: Keeper, head: JournalHead, line: bytes) -> None:
        state = self._states[number]
        try:
            keeper.put(head.number, line)
        except PublishError as error:
            state.failed += 1
            if state.trouble is None:
                log.warning("audit.head_not_published", to=keeper.name, error=str(error))
            state.trouble = str(error)
            return
        if state.trouble is not None:
            log.info("audit.head_published_again", to=keeper.name)
        state.sent += 1
        state.last = self._clock()
        state.trouble = None
        self._done[number] = head


def _same(head: JournalHead, other: JournalHead | None) -> bool:
    return other is not None and (head.digest, head.live) == (other.digest, other.live)


def publisher(journal: Journal, targets: Sequence[HeadTarget]) -> Publisher:
    """One that hears of every line of the journal."""
    keys = {journal.key.id: journal.key.public()}
    made = Publisher(journal, [keeper(each, journal.directory, keys) for each in targets])
    journal.told = made.wake
    return made
