"""The audit log on disk: segments of JSON lines, written by one thread with group commit."""

import asyncio
import threading
import time
from collections.abc import Awaitable
from pathlib import Path

import structlog

from torhaus.model.ports import LedgerError
from torhaus.model.record import Record
from torhaus.store.segments import prepare, repair
from torhaus.store.writer import Entry, LedgerSettings, Writer

log = structlog.get_logger()

_WEIGHT = 512
"""Bytes of a record without its parameters, roughly."""


class SegmentLedger:
    """A `Ledger` in a directory of its own. Every method belongs to the loop's thread.

    Several processes may use one directory: each writes its own segments.
    """

    def __init__(self, directory: Path, settings: LedgerSettings) -> None:
        self._directory = directory
        self._settings = settings
        self._durable = settings.durability != "async"
        self._given = 0
        self._refusal: str | None = "the audit log is not open yet"

    def start(self) -> None:
        """Repairs what a crash has torn, opens a segment and starts the thread.

        To be called with the loop running. Raises LedgerError.
        """
        self._loop = asyncio.get_running_loop()
        self._writer = Writer(self._directory, self._settings, self._loop)
        try:
            prepare(self._directory)
            for path, torn in repair(self._directory):
                log.warning("audit.repaired", segment=path.name, torn_bytes=torn)
            self._writer.open()
        except OSError as error:
            raise LedgerError(f"the audit log cannot be opened: {error}") from error
        # A daemon: a disk that hangs for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._writer.run, name="audit", daemon=True)
        self._thread.start()
        self._refusal = None

    def note(self, record: Record) -> Awaitable[None] | None:
        refusal = self._refusal or self._writer.fault
        if refusal is not None:
            raise LedgerError(refusal)
        weight = _WEIGHT + len(record.parameters)
        if self._durable or self._waiting(1):
            return self._awaited(record, weight)
        self._given += weight
        self._writer.queue.put(Entry(record, None, weight))
        return None

    def _awaited(self, record: Record, weight: int) -> Awaitable[None]:
        if self._waiting(2):
            raise LedgerError("the audit log cannot keep up")
        waiter = self._loop.create_future()
        self._given += weight
        self._writer.queue.put(Entry(record, waiter, weight))
        if not self._durable:
            self._writer.hurry.set()  # no window while callers wait for room
        return waiter

    def _waiting(self, times: int) -> bool:
        """Whether that many times the records or bytes are queued that may be."""
        settings = self._settings
        return (
            self._writer.queue.qsize() >= settings.queue_records * times
            or self._given - self._writer.written >= settings.queue_bytes * times
        )

    def healthy(self) -> bool:
        if self._refusal is not None or self._writer.fault is not None:
            return False
        busy = self._writer.busy
        return busy is None or time.monotonic() - busy < self._settings.stall

    async def close(self, timeout: float = 5.0) -> bool:
        """Writes what is queued and ends the thread. True when every record is on disk.

        After `timeout` seconds it goes on without: those who still wait get LedgerError.
        """
        if self._refusal is not None:
            return True
        self._refusal = "the audit log is closed"
        self._writer.stop()
        await asyncio.to_thread(self._thread.join, timeout)
        if self._thread.is_alive():
            self._writer.abandon()
            return False
        return self._writer.lost == 0
