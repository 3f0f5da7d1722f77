"""The thread that writes audit records: many records, one write, one sync, one wake-up."""

import asyncio
import contextlib
import queue
import threading
import time
from pathlib import Path

import msgspec
import structlog

from torhaus.model.ports import LedgerError
from torhaus.model.record import Record
from torhaus.store.lines import lines
from torhaus.store.segments import Segment, stamp

log = structlog.get_logger()

_BATCH = 4096
"""Records in one write at most."""


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the ledger writes. Times in seconds.

    `durability`: `durable` (every record awaited) or `async` (on disk `flush` after it came).
    `segment_bytes`, `segment_seconds`: when a segment is sealed and the next one begins.
    `queue_records`, `queue_bytes`: with more than this waiting, callers wait; with twice as
    much they are turned away. `retry`: between attempts to get well. `stall`: a write that
    takes longer counts as unhealthy.
    """

    durability: str = "durable"
    flush: float = 0.020
    segment_bytes: int = 64 * 1024 * 1024
    segment_seconds: float = 3600.0
    queue_records: int = 20_000
    queue_bytes: int = 32 * 1024 * 1024
    retry: float = 1.0
    stall: float = 10.0


class Entry(msgspec.Struct):
    """A record on its way. `waiter`: who is told; `weight`: its bytes, roughly."""

    record: Record
    waiter: asyncio.Future[None] | None
    weight: int


class Writer:
    """Everything here runs in the thread, but for what the ledger reads, `stop` and `abandon`.

    `queue` ends with None. `fault`: a sentence while records cannot be written. `written`: the
    weight of all entries that left. `busy`: when the write under way began (monotonic), or None.
    """

    def __init__(
        self, directory: Path, settings: LedgerSettings, loop: asyncio.AbstractEventLoop
    ) -> None:
        self.queue: queue.SimpleQueue[Entry | None] = queue.SimpleQueue()
        self.hurry = threading.Event()
        self.fault: str | None = None
        self.written = 0
        self.busy: float | None = None
        self.lost = 0
        self._directory = directory
        self._settings = settings
        self._window = settings.flush if settings.durability == "async" else 0.0
        self._loop = loop
        self._segment: Segment | None = None
        self._due = 0.0
        self._batch: list[Entry] = []
        self._backlog: list[Entry] = []
        self._closing = False
        self._stopping = False

    def stop(self) -> None:
        """From the loop's thread: write what is queued, then end."""
        self._closing = True
        self.queue.put(None)
        self.hurry.set()

    def abandon(self) -> None:
        """From the loop's thread, when this one hangs: nobody waits any longer."""
        left = list(self._batch)
        with contextlib.suppress(queue.Empty):
            while (entry := self.queue.get_nowait()) is not None:
                left.append(entry)
        log.error("audit.lost", records=len(left), error="the disk does not answer")
        waiters = [entry.waiter for entry in left if entry.waiter is not None]
        _tell(waiters, "the audit log was closed before the record was on disk")

    def open(self) -> None:
        """Begins the first segment, proved to be writable. Raises OSError."""
        self._new_segment().prove()

    def run(self) -> None:
        try:
            while not self._stopping:
                self._turn()
        finally:
            self.fault = self.fault or "the audit log is closed"
            self._give_up()

    def _turn(self) -> None:
        """One batch, or one end of a quiet hour; and the way back after a failure."""
        self._batch = self._gather()
        try:
            self._write(self._batch)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._fail(error)
        if self.fault is not None:
            self._get_well()

    def _gather(self) -> list[Entry]:
        first = self._take(None if self._segment is None else self._due - time.monotonic())
        if first is None:
            return []
        if self._window and not self._closing and self.queue.qsize() < _BATCH:
            self.hurry.wait(self._window)
            self.hurry.clear()
        batch = [first]
        while len(batch) < _BATCH and (entry := self._take(0.0)) is not None:
            batch.append(entry)
        return batch

    def _take(self, wait: float | None) -> Entry | None:
        """The next entry; None when none came in time or when it was the end."""
        try:
            entry = self.queue.get(timeout=None if wait is None else max(0.0, wait))
        except queue.Empty:
            return None
        self._stopping = self._stopping or entry is None
        return entry

    def _write(self, batch: list[Entry]) -> None:
        if self._segment is not None and time.monotonic() >= self._due:
            self._seal()
        if not batch:
            return
        self.busy = time.monotonic()
        segment = self._segment or self._new_segment()
        segment.append(lines([entry.record for entry in batch]))
        self.busy = None
        self._done(batch)
        self._batch = []
        if segment.size >= self._settings.segment_bytes:
            self._seal()

    def _new_segment(self) -> Segment:
        self._segment = Segment(self._directory, stamp(time.time()))
        self._due = time.monotonic() + self._settings.segment_seconds
        return self._segment

    def _seal(self) -> None:
        segment, self._segment = self._segment, None
        if segment is not None:
            segment.close()

    def _fail(self, error: Exception) -> None:
        """Take back what is half written, then tell everybody who waits, at once."""
        self.busy = None
        self.fault = _sentence(error)
        log.error("audit.failed", error=str(error))
        with contextlib.suppress(OSError):  # tried again before anything else is written
            if self._segment is not None:
                self._segment.cut()
        self._turn_away(self._batch)
        self._batch = []
        while (entry := self._take(0.0)) is not None:
            self._turn_away([entry])

    def _turn_away(self, entries: list[Entry]) -> None:
        """Those who wait hear of the failure, and their records are dropped; the others stay."""
        self._backlog += [entry for entry in entries if entry.waiter is None]
        awaited = [entry for entry in entries if entry.waiter is not None]
        self._done(awaited, self.fault)

    def _get_well(self) -> None:
        """Tries again and again until a write succeeds or the ledger is closed."""
        again = time.monotonic() + self._settings.retry
        while self.fault is not None:
            while not self._stopping and (rest := again - time.monotonic()) > 0:
                entry = self._take(rest)
                self._turn_away([] if entry is None else [entry])
            self._try_again()
            again = time.monotonic() + self._settings.retry
            if self._stopping:
                return

    def _try_again(self) -> None:
        try:
            if self._segment is not None:
                self._segment.cut()
                self._seal()
            segment = self._new_segment()
            segment.prove()
            segment.append(lines([entry.record for entry in self._backlog]))
        except Exception as error:  # noqa: BLE001 - the next attempt may succeed
            self.fault = _sentence(error)
            return
        self._done(self._backlog)
        self._backlog = []
        self.fault = None
        log.info("audit.recovered")

    def _done(self, entries: list[Entry], error: str | None = None) -> None:
        self.written += sum(entry.weight for entry in entries)
        waiters = [entry.waiter for entry in entries if entry.waiter is not None]
        if waiters:
            with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
                self._loop.call_soon_threadsafe(_tell, waiters, error)

    def _give_up(self) -> None:
        self._turn_away(self._batch)
        while (entry := self._take(0.0)) is not None:
            self._turn_away([entry])
        self.lost = len(self._backlog)
        if self.lost:
            log.error("audit.lost", records=self.lost, error=self.fault)
        with contextlib.suppress(OSError):  # what is written is synced already
            self._seal()


def _sentence(error: Exception) -> str:
    """For callers, who need not know our paths: the log has the whole error."""
    why = error.strerror if isinstance(error, OSError) else None
    return f"the audit log cannot be written: {why or type(error).__name__}"


def _tell(waiters: list[asyncio.Future[None]], error: str | None) -> None:
    for waiter in waiters:
        if waiter.done():
            continue  # cancelled: its caller hung up
        if error is None:
            waiter.set_result(None)
        else:
            waiter.set_exception(LedgerError(error))
