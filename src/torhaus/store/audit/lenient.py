"""A ledger whose failures hold no call up: what is lost is counted, and said aloud."""

import asyncio
from collections.abc import Awaitable

import structlog

from torhaus.model.ports import Ledger, LedgerError
from torhaus.model.record import INTENT, Record

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between two lines of the log about one failure that goes on."""


class LenientLedger:
    """Passes on to `ledger` as long as that can write. `lost`: calls without a record, so far.

    `patience`: seconds a call waits for its record; a disk that hangs must not keep it for ever.
    """

    def __init__(self, ledger: Ledger, patience: float) -> None:
        self._ledger = ledger
        self._patience = patience
        self._said = float("-inf")
        self.lost = 0

    def healthy(self) -> bool:
        """Calls go on, whatever the disk says."""
        return True

    def note(self, record: Record) -> Awaitable[None] | None:
        try:
            kept = self._ledger.note(record)
        except LedgerError as error:
            self._lose(record, error)
            return None
        return None if kept is None else self._patient(record, kept)

    def _patient(self, record: Record, kept: Awaitable[None]) -> Awaitable[None]:
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        waiting = True

        def late() -> None:
            nonlocal waiting
            waiting = False
            self._lose(record, LedgerError("the disk does not answer"))
            _let_go(done)

        timer = loop.call_later(self._patience, late)

        def ended(inner: "asyncio.Future[None]") -> None:
            timer.cancel()
            error = None if inner.cancelled() else inner.exception()
            if error is not None and waiting:  # else it is counted already
                self._lose(record, error)
            _let_go(done)

        asyncio.ensure_future(kept).add_done_callback(ended)
        return done

    def _lose(self, record: Record, error: BaseException) -> None:
        if record.phase != INTENT:  # or the call would count twice
            self.lost += 1
        now = asyncio.get_running_loop().time()
        if now - self._said >= EVERY:
            self._said = now
            log.error("audit.unrecorded", lost=self.lost, error=str(error))


def _let_go(done: "asyncio.Future[None]") -> None:
    if not done.done():
        done.set_result(None)
