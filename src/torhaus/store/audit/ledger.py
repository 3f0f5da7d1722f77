"""The audit log on disk: segments of JSON lines, written in batches by a thread."""

import asyncio
import threading
import time
from collections.abc import Awaitable, Mapping
from pathlib import Path

import structlog

from torhaus.audit.signing import SignatureError
from torhaus.model.evidence import LiveChain
from torhaus.model.ports import LedgerError
from torhaus.model.record import Record
from torhaus.store.audit.batch import Batch
from torhaus.store.audit.disk import prepare
from torhaus.store.audit.heads import known
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.lines import add_line
from torhaus.store.audit.recover import recover
from torhaus.store.audit.writer import LedgerSettings, Writer

log = structlog.get_logger()

_FULL = 1024 * 1024
"""Bytes in a batch that leaves before its time."""


class SegmentLedger:
    """A `Ledger` in a directory of its own. Every method belongs to the loop's thread.

    Records are encoded here, where they are still warm, and gathered in a batch while the writer
    has the one before: the thread costs the same for one record and for a thousand.
    Several processes may use one directory: each writes its own segments.
    """

    def __init__(self, directory: Path, journal: Journal, settings: LedgerSettings) -> None:
        self._directory = directory
        self._journal = journal
        self._settings = settings
        self._durable = settings.durability != "async"
        self._open = False
        self._refusal: str | None = "the audit log is not open yet"
        self._batch = Batch()  # what comes now
        self._ahead = Batch()  # what the writer has
        self._busy: float | None = None  # since when (monotonic) it has that
        self._urgent = False
        self._last_try = False
        self._departure: asyncio.Handle | None = None

    def start(self) -> None:
        """Seals what a crash has left behind, opens a segment and starts the thread.

        To be called with the loop running. Raises LedgerError.
        """
        self._loop = asyncio.get_running_loop()
        self._ended: asyncio.Future[None] = self._loop.create_future()
        self._writer = Writer(self._directory, self._journal, self._settings, self._back, self._end)
        try:
            prepare(self._directory)
            for _ in recover(self._directory, self._journal, self._published()):
                pass  # it has told of each
            self._writer.open()
        except OSError as error:
            raise LedgerError(f"the audit log cannot be opened: {error}") from error
        # A daemon: a disk that hangs for ever must not keep the process from ending.
        threading.Thread(target=self._writer.run, name="audit", daemon=True).start()
        self._open = True
        self._refusal = None

    def _published(self) -> Mapping[str, LiveChain]:
        """What the head beside the journal says of segments that were left behind."""
        key = self._journal.key
        try:
            return known(self._journal.directory, {key.id: key.public()})
        except (SignatureError, OSError) as error:
            log.error("audit.head_unusable", error=str(error))
            return {}

    def note(self, record: Record) -> Awaitable[None] | None:
        if self._refusal is not None:
            raise LedgerError(self._refusal)
        # Once somebody waits everybody does, until the batch leaves: see Batch.
        if self._durable or self._batch.waiters or self._waiting(1):
            return self._awaited(record)
        self._add(record)
        return None

    def healthy(self) -> bool:
        if self._refusal is not None:
            return False
        return self._busy is None or time.monotonic() - self._busy < self._settings.stall

    async def close(self, timeout: float = 5.0) -> bool:
        """Writes what is queued and ends the thread. True when every record is on disk.

        After `timeout` seconds it goes on without: those who still wait get LedgerError.
        """
        if not self._open:
            return True
        self._open = False
        self._refusal = "the audit log is closed"
        self._leave()
        try:
            async with asyncio.timeout(timeout):
                await self._ended
        except TimeoutError:
            self._abandon()
            return False
        return not self._batch.lines

    # -- a record comes ------------------------------------------------------------------------

    def _waiting(self, times: int) -> bool:
        """Whether that many times the records or bytes are waiting that may be."""
        settings, ahead, batch = self._settings, self._ahead, self._batch
        return (
            ahead.records + batch.records >= settings.queue_records * times
            or len(ahead.lines) + len(batch.lines) >= settings.queue_bytes * times
        )

    def _awaited(self, record: Record) -> Awaitable[None]:
        if self._waiting(2):
            raise LedgerError("the audit log cannot keep up")
        waiter = self._loop.create_future()
        self._batch.wait(waiter)
        self._add(record)
        if not self._durable:
            self._leave()  # no window while callers wait for room
        return waiter

    def _add(self, record: Record) -> None:
        batch = self._batch
        add_line(batch.lines, record)
        batch.records += 1
        if batch.records == 1:
            self._departure = (
                self._loop.call_soon(self._leave)  # with all that come in this turn of the loop
                if self._durable
                else self._loop.call_later(self._settings.flush, self._leave)
            )
        elif len(batch.lines) >= _FULL:
            self._leave()

    # -- a batch leaves, and the writer comes back ---------------------------------------------

    def _leave(self) -> None:
        """The batch leaves now, or when the writer is back from the one before."""
        self._urgent = True
        if self._busy is None:
            self._hand_over()

    def _hand_over(self) -> None:
        if self._departure is not None:
            self._departure.cancel()
        self._urgent = False
        self._ahead, self._batch = self._batch, Batch()
        self._busy = time.monotonic()
        self._writer.queue.put(self._ahead.lines)

    def _back(self, error: str | None) -> None:
        ahead, self._ahead, self._busy = self._ahead, Batch(), None
        if error is not None:
            self._fail(ahead, error)
            return
        if self._open:
            self._refusal = None
        if self._urgent:
            self._hand_over()
        elif not self._open:
            self._writer.queue.put(None)
        ahead.written()

    def _fail(self, ahead: Batch, error: str) -> None:
        """Those who wait hear of it, and their records are dropped; the others stay."""
        batch = self._batch
        self._batch = Batch(ahead.not_awaited() + batch.not_awaited())
        if self._departure is not None:
            self._departure.cancel()
        if self._open:
            self._refusal = error
            self._departure = self._loop.call_later(self._settings.retry, self._leave)
        elif not self._last_try:
            self._last_try = True
            self._leave()
        else:
            self._lost(self._batch.records, error)
            self._writer.queue.put(None)
        ahead.failed(error)
        batch.failed(error)

    # -- the end -------------------------------------------------------------------------------

    def _end(self) -> None:
        if not self._ended.done():
            self._ended.set_result(None)

    def _abandon(self) -> None:
        """The disk hangs: nobody waits any longer."""
        self._lost(self._ahead.records + self._batch.records, "the disk does not answer")
        for batch in (self._ahead, self._batch):
            batch.failed("the audit log was closed before the record was on disk")

    def _lost(self, records: int, error: str) -> None:
        if records:
            log.error("audit.lost", records=records, error=error)
