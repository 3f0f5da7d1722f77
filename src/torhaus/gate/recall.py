"""A call that came before and is asked again: decided, answered from the cache, and recorded.

It goes the way of `Gate.admit` without the steps whose outcome is known: reading the request,
putting the call together, planning where its answer is kept. All that may have changed since is
asked again, and whatever has changed sends the call the long way.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import msgspec

from torhaus.audit.shape import record, repeated
from torhaus.cache.plan import plan
from torhaus.gate.calls import Asking, check_headers, own_trace
from torhaus.gate.catalogue import Catalogue, Listed
from torhaus.gate.fetching import Fetching, from_cache, limited
from torhaus.gate.repeats import Repeat, Repeats
from torhaus.gate.sight import Sight
from torhaus.gate.verdicts import Verdicts
from torhaus.mcp.frames import proved
from torhaus.mcp.message import CallerError
from torhaus.model.call import Call
from torhaus.model.outcome import Abandoned, Answered, Outcome, Served
from torhaus.model.ports import Cache, Entry, Ledger, Meter
from torhaus.model.servers import Era

if TYPE_CHECKING:
    from torhaus.gate.gate import Gate

HIT = Served.HIT


@dataclass(slots=True, kw_only=True)
class Recall:
    """Owned by one event loop. `clock`: Unix seconds; `stopwatch`: seconds, monotonic."""

    catalogue: Catalogue
    verdicts: Verdicts
    cache: Cache
    fetching: Fetching
    ledger: Ledger
    meter: Meter
    clock: Callable[[], float]
    stopwatch: Callable[[], float]
    ids: Callable[[], str]
    repeats: Repeats = field(default_factory=Repeats)

    @classmethod
    def of(cls, gate: "Gate") -> Self:
        """Made of a gate's own parts."""
        parts = (each.name for each in fields(cls) if each.name != "repeats")
        return cls(**{name: getattr(gate, name) for name in parts})

    def answer(self, known: Repeat, trace: str) -> Answered | Coroutine[Any, Any, Outcome] | None:
        """The call once more, in the trace its head names. None: it goes the long way.

        Its end where that may leave at once, else what waits for it. Leaves exactly one record,
        unless it returns None. Raises LedgerError when the record cannot be kept.
        """
        if not self.ledger.healthy():
            return None
        now, started = self.clock(), self.stopwatch()
        call = known.call
        if self.catalogue.find(call.server, call.operation, now) is not known.listed:
            return None
        verdict = self.verdicts.decide(call, now)
        if verdict is not known.verdict and verdict != known.verdict:
            return None
        if call.caller.phase(now) is not known.phase:
            return None
        entry = self.cache.at_hand(known.key, known.asking.era, now)
        if entry is None:
            return None
        if not self.fetching.free(call):
            return self._charged(known, entry, trace, now, started)
        outcome = from_cache(known.verdict, entry, entry.result, now, HIT)
        kept = self._note(known, outcome, self.ids(), trace, now, started)
        return outcome if kept is None else _once(kept, outcome)

    async def _charged(
        self, known: Repeat, entry: Entry, trace: str, began: float, started: float
    ) -> Outcome:
        """The same, within budgets that count answers from the cache."""
        number, verdict = self.ids(), known.verdict
        outcome: Outcome = Abandoned(verdict)
        try:
            call = msgspec.structs.replace(known.call, id=number, trace=trace or known.trace)
            shortage = await self.fetching.spend_hit(known.asking, call)
            if shortage is not None:
                outcome = limited(verdict, shortage)
            else:
                outcome = from_cache(verdict, entry, entry.result, self.clock(), HIT)
        finally:
            if isinstance(outcome, Answered):
                kept = self._note(known, outcome, number, trace, began, started)
            else:
                kept = self._other(call, outcome, began, started)
        if kept is not None:
            await kept
        return outcome

    def _note(
        self,
        known: Repeat,
        outcome: Answered,
        number: str,
        trace: str,
        began: float,
        started: float,
    ) -> Awaitable[None] | None:
        seconds = self.stopwatch() - started
        self.meter.ended(known.call, outcome, "success", seconds)
        trace = trace or known.trace
        return self.ledger.note(repeated(known.record, number, outcome, began, seconds, trace))

    def _other(
        self, call: Call, outcome: Outcome, began: float, started: float
    ) -> Awaitable[None] | None:
        seconds = self.stopwatch() - started
        entry = record(call, outcome, began, seconds)
        self.meter.ended(call, outcome, entry.result.status, seconds)
        return self.ledger.note(entry)

    def learnt(self, asking: Asking, call: Call, outcome: Answered) -> Answered:
        """The end of a call that the cache has answered, remembered when it was met before."""
        if asking.sight is not None:
            self._learn(asking, call, asking.sight, outcome)
        return outcome

    def _learn(self, asking: Asking, call: Call, sight: Sight, outcome: Answered) -> None:
        verdict, now = outcome.verdict, self.clock()
        if verdict.redact is not None or verdict.approved is not None or outcome.served is not HIT:
            return
        if not self.repeats.met(sight):
            return
        key, phase = plan(call, verdict, now).key, call.caller.phase(now)
        listed = self.catalogue.find(call.server, call.operation, now)
        if key is None or listed is None:
            return
        known = self.repeats.find(sight.scope, sight.frame)
        if known is not None and known.judged(listed, verdict, phase):
            return  # then it was something else that kept it from being of use
        if self._still(asking, call, listed) and proved(sight.frame, asking.request):
            known = Repeat(
                asking=msgspec.structs.replace(asking, session=None, visit=None, sight=None),
                call=call,
                listed=listed,
                verdict=verdict,
                phase=phase,
                key=key,
                trace=own_trace(asking),
                record=record(call, outcome, now, 0.0),
            )
            self.repeats.learn(sight, known)

    def _still(self, asking: Asking, call: Call, listed: Listed) -> bool:
        """Whether what is listed now is what the call was judged by: its cache may have waited."""
        if listed.deny is not None or listed.hints is not call.hints:
            return False
        if asking.era is Era.MODERN:
            try:
                check_headers(asking, call, self.catalogue)
            except CallerError:
                return False
        return True


async def _once(kept: Awaitable[None], outcome: Outcome) -> Outcome:
    await kept
    return outcome
