"""The thread in which a gateway looks after its day files."""

import asyncio
import threading
import time
from collections.abc import Callable

import structlog

from torhaus.audit.acts import HOUSE, Act, act_record
from torhaus.audit.catalogue import DayFile
from torhaus.model.keeping import Bucket, Retention, Standing
from torhaus.model.ports import Ledger, LedgerError
from torhaus.store.audit.tiers.depot import Depot
from torhaus.store.audit.tiers.errand import Errand
from torhaus.store.audit.tiers.upkeep import Awaited, Upkeep

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between rounds."""

PATIENCE = 30.0
"""Seconds that a record may take to become durable."""


class Caretaker:
    """Built and started with the loop running. `errand`: what converts; `close` ends it."""

    def __init__(  # noqa: PLR0913 -- one argument for each thing it works with
        self,
        depot: Depot,
        retention: Retention,
        bucket: Bucket | None,
        *,
        ledger: Ledger,
        errand: Errand,
        ids: Callable[[], str],
        clock: Callable[[], float] = time.time,
        awaited: Awaited = lambda _now: (),
    ) -> None:
        self._ledger = ledger
        self._errand = errand
        self._ids = ids
        self._clock = clock
        self._stop = threading.Event()
        self._wake = threading.Event()
        self._thread: threading.Thread | None = None
        self.upkeep = Upkeep(
            depot, retention, bucket, note=self._note, stopped=self._stop.is_set, awaited=awaited
        )

    @property
    def standing(self) -> Standing:
        return self.upkeep.standing

    def start(self) -> None:
        self._loop = asyncio.get_running_loop()
        # A daemon: whatever moment it is ended at, the next round goes on from there.
        self._thread = threading.Thread(target=self._run, name="audit upkeep", daemon=True)
        self._thread.start()

    def hurry(self) -> None:
        """A round soon, with everything in it."""
        self.upkeep.hurry()
        self._wake.set()

    async def close(self, timeout: float = 2.0) -> None:
        """Ends what it is doing; does not wait for a bucket that does not answer."""
        self._stop.set()
        self._wake.set()
        self._errand.stop()
        if self._thread is not None:
            await asyncio.to_thread(self._thread.join, timeout)

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.clear()
            try:
                self.upkeep.round(self._clock())
            except Exception:
                log.exception("audit.upkeep_bug")
            self._wake.wait(EVERY)

    def _note(self, file: DayFile, why: str) -> None:
        """Raises LedgerError."""
        written = file.written
        facts = {"file": written.file, "day": written.day, "records": written.records}
        act = Act(operation="audit.deleted", facts=facts)
        record = act_record(
            act, HOUSE, id=self._ids(), at=self._clock(), rule="retention", reason=why
        )

        async def noted() -> None:
            durable = self._ledger.note(record)
            if durable is not None:
                await durable

        waiting = asyncio.run_coroutine_threadsafe(noted(), self._loop)
        try:
            waiting.result(PATIENCE)
        except TimeoutError as error:
            waiting.cancel()
            raise LedgerError("the audit log does not answer") from error
