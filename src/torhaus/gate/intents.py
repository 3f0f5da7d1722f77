"""Records that calls leave before they go to their servers, so that none that went is unknown."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import msgspec
import structlog

from torhaus.audit.shape import intent, record
from torhaus.gate.masking import Masking, Veil
from torhaus.model.call import Call
from torhaus.model.outcome import Abandoned, Answer, Answered, Failed, Outcome
from torhaus.model.ports import Ledger, LedgerError, UpstreamError
from torhaus.model.record import OUTCOME, Record
from torhaus.model.verdict import Allow
from torhaus.policy.methods import OPEN

log = structlog.get_logger()

UNWRITTEN = "the audit log cannot be written"


@dataclass(slots=True, kw_only=True)
class Intents:
    """Owned by one event loop. `every`: calls that only read leave one as well.

    `open`: calls that have left one and not yet their outcome, and since when (Unix seconds).
    `owed`: outcomes that could not be written when they came.
    """

    ledger: Ledger
    masking: Masking
    clock: Callable[[], float]
    every: bool = False
    open: dict[str, float] = field(default_factory=dict)
    owed: dict[str, Record] = field(default_factory=dict)

    def possible(self) -> None:
        """Raises LedgerError when no record can be left now."""
        if not self.ledger.healthy():
            raise LedgerError(UNWRITTEN)

    async def before(self, call: Call, verdict: Allow, veil: Veil | None) -> None:
        """Returns once the intent is as durable as configured: then the call may go, once.

        Raises LedgerError; then it must not go. Whoever is cancelled here owes an outcome: the
        intent may be on disk.
        """
        if not self.every and call.method in OPEN:
            return  # the protocol's own business: it opens a session, or lists what there is
        if verdict.redact is not None:
            call, _ = self.masking.recorded(call, verdict, veil)
        now = self.clock()
        kept = self.ledger.note(intent(call, verdict, now))
        self.open[call.id] = now
        if kept is None:
            return
        try:
            await kept
        except LedgerError:
            del self.open[call.id]  # it was taken back
            raise

    async def around(
        self,
        call: Call,
        verdict: Allow,
        veil: Veil | None,
        send: Callable[[], Awaitable[Answer]],
    ) -> Answer:
        """A call that nobody stands behind any more: its intent, itself, and its outcome."""
        began = self.clock()
        await self.before(call, verdict, veil)
        end: Outcome = Abandoned(verdict)
        try:
            answer = await send()
            end = Answered(verdict, answer)
        except UpstreamError as error:
            end = Failed(verdict, str(error))
            raise
        finally:
            if verdict.redact is not None:
                call, _ = self.masking.recorded(call, verdict, veil)
            self.ended(record(call, end, began, self.clock() - began))
        return answer

    def ended(self, entry: Record) -> Awaitable[None] | None:
        """Note how a call ended, as `Ledger.note`; what fails here is noted again by `pay`."""
        if self.open.pop(entry.request_id, None) is None:
            return self.ledger.note(entry)
        entry = msgspec.structs.replace(entry, phase=OUTCOME)
        try:
            kept = self.ledger.note(entry)
        except LedgerError:
            self.owed[entry.request_id] = entry
            raise
        if isinstance(kept, asyncio.Future):
            kept.add_done_callback(lambda done: self._noted(entry, done))
        return kept

    def _noted(self, entry: Record, done: "asyncio.Future[None]") -> None:
        if not done.cancelled() and done.exception() is not None:
            self.owed[entry.request_id] = entry

    def pay(self) -> int:
        """Note what is owed, if that is possible again; returns how many there were.

        It was not answered to anybody, but it did go to its server.
        """
        if not self.owed or not self.ledger.healthy():
            return 0
        owed, self.owed = self.owed, {}
        for entry in owed.values():
            self.open[entry.request_id] = self.clock()
            try:
                self.ended(entry)
            except LedgerError:
                continue  # it is owed again
        log.info("audit.outcomes.noted", records=len(owed))
        return len(owed)

    def since(self, now: float) -> float:
        """No call that is still without an outcome left its intent before."""
        if self.owed:
            return 0.0
        return min(next(iter(self.open.values()), now), now)
