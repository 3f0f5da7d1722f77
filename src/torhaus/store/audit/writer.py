"""The thread that writes audit records: one batch, one write, one sync, one report."""

import asyncio
import contextlib
import queue
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import structlog

from torhaus.store.audit.segments import Segment, stamp

log = structlog.get_logger()


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
        settings: LedgerSettings,
        report: Callable[[str | None], None],
        ended: Callable[[], None],
    ) -> None:
        self.queue: queue.SimpleQueue[bytearray | None] = queue.SimpleQueue()
        self._loop = asyncio.get_running_loop()
        self._directory = directory
        self._settings = settings
        self._report = report
        self._ended = ended
        self._segment: Segment | None = None
        self._due = 0.0
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
        """The next batch. A segment that is full, or gets old while nothing comes, is sealed."""
        if self._segment is not None and self._segment.size >= self._settings.segment_bytes:
            self._seal()
        while True:
            rest = None if self._segment is None else max(0.0, self._due - time.monotonic())
            try:
                return self.queue.get(timeout=rest)
            except queue.Empty:
                self._seal()

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
        elif time.monotonic() >= self._due:
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
        if self._segment is not None:
            self._segment.cut()
            self._seal()
        self._new_segment().prove()

    def _new_segment(self) -> Segment:
        self._segment = Segment(self._directory, stamp(time.time()))
        self._due = time.monotonic() + self._settings.segment_seconds
        return self._segment

    def _seal(self) -> None:
        segment, self._segment = self._segment, None
        try:
            if segment is not None:
                segment.close()
        except OSError as error:  # nothing is lost: what is written is synced already
            log.warning("audit.not_sealed", error=str(error))


def _sentence(error: Exception) -> str:
    """For callers, who need not know our paths: the log has the whole error."""
    why = error.strerror if isinstance(error, OSError) else None
    return f"the audit log cannot be written: {why or type(error).__name__}"
