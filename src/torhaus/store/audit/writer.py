"""The thread that writes audit records: one batch, one write, one sync, one report."""

import asyncio
import contextlib
import queue
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from torhaus.store.audit.journal import Journal
from torhaus.store.audit.proved import ProvedSegment

log = structlog.get_logger()


class LedgerSettings(msgspec.Struct, frozen=True, kw_only=True):
    """How the ledger writes. Times in seconds.

    `durability`: `durable` (every record awaited) or `async` (on disk `flush` after it came).
    `segment_bytes`, `segment_seconds`: when a segment is sealed and the next one begins.
    `checkpoint_records`, `checkpoint_seconds`: what a checkpoint is written after.
    `queue_records`, `queue_bytes`: with more than this waiting, callers wait; with twice as
    much they are turned away. `retry`: between attempts to get well. `stall`: a write that
    takes longer counts as unhealthy.
    """

    durability: str = "durable"
    flush: float = 0.020
    segment_bytes: int = 64 * 1024 * 1024
    segment_seconds: float = 3600.0
    checkpoint_records: int = 1000
    checkpoint_seconds: float = 1.0
    queue_records: int = 20_000
    queue_bytes: int = 32 * 1024 * 1024
    retry: float = 1.0
    stall: float = 10.0


class Writer:
    """Everything here runs in the thread, but for `open` before it and what the queue is given.

    `queue`: batches of whole lines, one at a time; None ends the thread. Each batch is answered
    by one call of `report` on the loop: None, or a sentence that says why nothing of the batch is
    on disk. The batch after a failure, be it empty, proves first that the disk takes data again.
    `ended` is called on the loop when the last segment is sealed.
    """

    def __init__(
        self,
        directory: Path,
        journal: Journal,
        settings: LedgerSettings,
        report: Callable[[str | None], None],
        ended: Callable[[], None],
    ) -> None:
        self.queue: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._directory = directory
        self._journal = journal
        self._settings = settings
        self._report = report
        self._ended = ended
        self._segment: ProvedSegment | None = None
        self._failing = False

    def open(self) -> None:
        """Begins the first segment, proved to be writable. Raises OSError."""
        self._new_segment().prove()

    def run(self) -> None:
        # The loop is closed: nobody waits any more.
        with contextlib.suppress(RuntimeError):
            while (lines := self._next()) is not None:
                self._loop.call_soon_threadsafe(self._report, self._attempt(lines))
            self._seal()
            self._loop.call_soon_threadsafe(self._ended)

    def _next(self) -> bytearray | None:
        """The next batch. While nothing comes, what is due is done."""
        if self._segment is not None and self._segment.size >= self._settings.segment_bytes:
            self._seal()
        while True:
            due = self._due()
            try:
                return self.queue.get(
                    timeout=None if due is None else max(0.0, due - time.monotonic())
                )
            except queue.Empty:
                self._idle()

    def _due(self) -> float | None:
        """When there is something to do though no batch comes."""
        if self._segment is None or self._failing:
            return None
        old = self._segment.opened + self._settings.segment_seconds
        return old if self._segment.due is None else min(old, self._segment.due)

    def _idle(self) -> None:
        segment = self._segment
        if segment is None:
            return
        if self._old(segment):
            self._seal()
            return
        try:
            segment.check()
        except OSError as error:
            self._fail(error)  # the next batch starts over

    def _old(self, segment: ProvedSegment) -> bool:
        return time.monotonic() >= segment.opened + self._settings.segment_seconds

    def _attempt(self, lines: bytearray) -> str | None:
        try:
            self._write(lines)
        except Exception as error:  # noqa: BLE001 - whatever it is, those who wait must hear of it
            self._fail(error)
            return _sentence(error)
        if self._failing:
            self._failing = False
            log.info("audit.recovered")
        return None

    def _write(self, lines: bytearray) -> None:
        if self._failing:
            self._start_over()
        elif self._segment is not None and self._old(self._segment):
            self._seal()
        if lines:
            (self._segment or self._new_segment()).append(lines)

    def _fail(self, error: Exception) -> None:
        """Takes back what is half written."""
        if not self._failing:
            log.error("audit.failed", error=str(error))
        self._failing = True
        with contextlib.suppress(OSError):  # tried again before anything else is written
            if self._segment is not None:
                self._segment.cut()

    def _start_over(self) -> None:
        old = self._segment
        if old is not None:
            try:
                old.cut()
            except OSError as error:
                self._leave(old, error)
                return
            self._seal()
        self._new_segment().prove()

    def _leave(self, old: ProvedSegment, error: OSError) -> None:
        """Go on without a segment whose file takes nothing any more, such as one of a dead disk.

        Its successor comes first: where nothing can be written, the directory may be another.
        """
        fresh = self._new_segment()
        self._segment = old  # until it is left
        try:
            fresh.prove()
            old.leave()
        except OSError:
            fresh.seal()
            raise
        self._segment = fresh
        log.warning("audit.segment_left", segment=old.path.name, error=str(error))

    def _new_segment(self) -> ProvedSegment:
        settings = self._settings
        self._segment = ProvedSegment(
            self._directory,
            self._journal,
            settings.checkpoint_records,
            settings.checkpoint_seconds,
        )
        return self._segment

    def _seal(self) -> None:
        segment, self._segment = self._segment, None
        try:
            if segment is not None:
                segment.seal()
        except OSError as error:  # nothing is lost: what is written is synced, `recover` seals it
            log.warning("audit.not_sealed", error=str(error))


def _sentence(error: Exception) -> str:
    """For callers, who need not know our paths: the log has the whole error."""
    why = error.strerror if isinstance(error, OSError) else None
    return f"the audit log cannot be written: {why or type(error).__name__}"
