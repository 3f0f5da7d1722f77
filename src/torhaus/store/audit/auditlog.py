"""The audit log of one process, from its start, when it settles what a crash left, to its end."""

import asyncio
import time
from collections.abc import Callable, Collection
from pathlib import Path

import structlog

from torhaus.audit.lag import troubles
from torhaus.model.auditing import AuditSettings
from torhaus.model.ports import Ledger, LedgerError
from torhaus.model.publishing import Evidence
from torhaus.redact.guard import Guard
from torhaus.store.audit.discreet import DiscreetLedger
from torhaus.store.audit.journal import Journal
from torhaus.store.audit.ledger import SegmentLedger
from torhaus.store.audit.lenient import LenientLedger
from torhaus.store.audit.pseudonyms import People
from torhaus.store.audit.publish.publisher import publisher
from torhaus.store.audit.settling import Attendance, Died, died, settle
from torhaus.store.audit.sinks.crew import Crew
from torhaus.store.audit.staying import staying
from torhaus.store.audit.veiling import Veiling
from torhaus.store.audit.writer import LedgerSettings

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between looks for other processes that died."""

LAST = 2.0
"""Seconds that the end waits for a mark which is being written."""


class AuditLog:
    """`ledger` is for acts, which are not done without a record; `calls` is for calls.

    `prefix`: what the ids of this process's calls begin with, and of no other's. `known`: the
    e-mail addresses that the rules in force know.
    """

    def __init__(
        self,
        directory: Path,
        settings: AuditSettings,
        prefix: str,
        journal: Journal,
        guard: Guard,
        known: Callable[[], Collection[str]] = tuple,
    ) -> None:
        how = LedgerSettings(
            durability=settings.durability,
            flush=settings.flush,
            segment_bytes=settings.segment_size,
            segment_seconds=settings.segment_age,
        )
        self._settings = settings
        self._segments = directory / "hot"
        self._running = directory / "running"
        self._disk = SegmentLedger(self._segments, journal, how)
        self._veiling = None
        if settings.pseudonyms:
            self._veiling = Veiling(People(directory.parent), known)
        self.ledger = DiscreetLedger(self._disk, guard, self._veiling)
        self._lenient = None
        if settings.on_failure == "allow":
            self._lenient = LenientLedger(self.ledger, how.stall)
        self._attendance = Attendance(self._running, prefix)
        self._dead: list[Died] = []  # settled, and on disk at the next beat
        self._fresh: list[Died] = []  # settled a moment ago
        self._beat: asyncio.Future[None] | None = None
        self._publisher = publisher(journal, settings.publish)
        self._crew = Crew(directory, settings.sinks)
        self.sinks = self._crew.states

    def late(self) -> dict[str, str]:
        """What is wrong with each sink, in a few words; empty when nothing is."""
        return troubles(self.sinks(), time.time())

    def awaited(self, now: float) -> set[str]:
        """Segments that stay where they are. Raises OSError.

        A sink still has to deliver them, or calls with intents in them may be without an outcome.
        """
        return staying(self._segments.parent, self._settings, now)

    @property
    def calls(self) -> Ledger:
        return self.ledger if self._lenient is None else self._lenient

    @property
    def required(self) -> bool:
        """Whether calls are refused while records cannot be written."""
        return self._lenient is None

    def refresh(self) -> None:
        """Every second: whoever was forgotten meanwhile is a stranger. Raises OSError."""
        if self._veiling is not None:
            self._veiling.refresh()

    def lost(self) -> int:
        """Calls that went on without a record."""
        return 0 if self._lenient is None else self._lenient.lost

    def evidence(self) -> Evidence:
        """Whether the log's proof is in order, and who keeps it."""
        return self._publisher.evidence()

    async def open(self, now: float) -> int:
        """Open it, and note how calls ended that a crash had cut off; returns how many.

        To be called before the first call. Raises LedgerError.
        """
        self._disk.start()
        try:
            self._attendance.begin(now)
            self._dead = died(self._running)
            # What is on disk has passed the guard, and has its pseudonyms.
            found = await settle(self._disk, self._segments, self._dead)
        except (OSError, LedgerError) as error:
            await self._disk.close()
            raise LedgerError(f"the audit log cannot be opened: {error}") from error
        self._publisher.start()
        if found:
            log.warning("audit.calls.interrupted", calls=found)
        self._crew.start()
        return found

    def beat(self, since: float) -> "asyncio.Future[None]":
        """To be called every few seconds. No call left its intent before `since` that has no end.

        A thread writes that down: a disk that hangs must not keep the loop. What was settled at
        the start is on disk by now, however it is written.
        """
        if self._beat is None or self._beat.done():
            settled: list[Died] = []
            if self.ledger.healthy():
                settled, self._dead, self._fresh = self._dead, self._fresh, []
            loop = asyncio.get_running_loop()
            self._beat = loop.run_in_executor(None, self._mark, since, settled)
        return self._beat

    def _mark(self, since: float, settled: list[Died]) -> None:
        try:
            self._attendance.mark(since)
            while settled:
                settled[-1].settled()
                settled.pop()
        except OSError as error:  # more is read at the next start, nothing is missed
            self._dead.extend(settled)
            log.warning("audit.unmarked", error=str(error))

    async def watch(self) -> None:
        """For as long as calls come: look after those of other processes."""
        while True:
            await asyncio.sleep(EVERY)
            await self.inherit()

    async def inherit(self) -> None:
        """Note how calls of other processes ended that died meanwhile.

        Each is settled by one of those that live, and by the next start if none does. Never raises.
        """
        if not self.ledger.healthy():
            return
        dead: list[Died] = []
        try:
            dead = await asyncio.to_thread(died, self._running)
            found = await settle(self._disk, self._segments, dead)
        except (OSError, LedgerError) as error:
            log.warning("audit.unsettled", error=str(error))
            for each in dead:
                each.leave()
            return
        self._fresh.extend(dead)
        if found:
            log.warning("audit.calls.interrupted", calls=found)

    async def close(self, *, complete: bool) -> None:
        """`complete`: every intent has its outcome, which is on disk once this closes well."""
        written = await self._disk.close()
        await asyncio.to_thread(self._crew.close)  # they bring what was written until now
        await asyncio.to_thread(self._publisher.close)  # the last seal is published too
        if self._beat is not None:
            await asyncio.wait([self._beat], timeout=LAST)
            if not self._beat.done():
                return  # the disk hangs; the next start reads everything again
        for each in (*self._dead, *self._fresh):
            each.settled() if written else each.leave()
        self._dead, self._fresh = [], []
        if not (written and complete):
            self._attendance.leave()
            return
        try:
            self._attendance.end()
        except OSError as error:
            log.warning("audit.unmarked", error=str(error))
