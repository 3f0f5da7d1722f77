"""A call that came before and is asked again: decided, answered from the cache, and recorded.

It goes the way of `Gate.admit` without the steps whose outcome is known: reading the request,
putting the call together, planning where its answer is kept. All that may have changed since is
asked again, and whatever has changed sends the call the long way.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Self

import msgspec

from torhaus.audit.shape import record, repeated
from torhaus.cache.plan import plan
from torhaus.gate.calls import Asking, check_headers, own_trace
from torhaus.gate.catalogue import Catalogue, Listed
from torhaus.gate.ends import from_cache, limited
from torhaus.gate.fetching import Fetching
from torhaus.gate.repeats import Repeat, Repeats
from torhaus.gate.sight import Sight
from torhaus.gate.verdicts import Verdicts
from torhaus.mcp.frames import proved
from torhaus.mcp.message import CallerError
from torhaus.model.call import Call
from torhaus.model.outcome import Abandoned, Answered, Outcome, Served
from torhaus.model.ports import Cache, Entry, Ledger, Meter, Miss
from torhaus.model.servers import Era

Ended = Answered | Coroutine[Any, Any, Outcome]
"""An end that may leave at once, or what waits for it."""

if TYPE_CHECKING:
    from torhaus.gate.gate import Gate

HIT = Served.HIT


class Asked(msgspec.Struct, frozen=True, gc=False):
    """A call whose answer may be in another process, which is asked by whoever awaits `answer`."""

    known: Repeat
    answer: Coroutine[Any, Any, Entry | Miss]
    trace: str
    began: float
    started: float


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

    def answer(self, known: Repeat, trace: str, now: float) -> Ended | Asked | None:
        """The call once more, in the trace its head names. None: it goes the long way.

        Its end where that may leave at once, else what waits for it; or what has to be asked, and
        goes on with `answered`. Leaves exactly one record, unless it returns None or asks. Raises
        LedgerError when the record cannot be kept.
        """
        if not self.ledger.healthy():
            return None
        started = self.stopwatch()
        if not self._same(known, now):
            return None
        entry = self.cache.at_hand(known.key, known.asking.era, now)
        if entry is not None:
            return self._hit(known, entry, trace, now, started)
        if not self.cache.elsewhere(known.key):
            return None
        return Asked(known, self.cache.find(known.key, known.tag, now), trace, now, started)

    def answered(self, asked: Asked, found: Entry | Miss) -> Ended | None:
        """What comes of it, after the wait: what has changed meanwhile is noticed as before it.

        None: it goes the long way, and has left no record.
        """
        known = asked.known
        if isinstance(found, Miss) or found.era is not known.asking.era:
            return None
        if not self._same(known, self.clock()):
            return None
        return self._hit(known, found, asked.trace, asked.began, asked.started)

    async def gone(self, asked: Asked) -> Outcome:
        """The end of a call that was cancelled while it waited: one record, and no answer."""
        known, outcome = asked.known, Abandoned(asked.known.verdict)
        call = msgspec.structs.replace(known.call, id=self.ids(), trace=asked.trace or known.trace)
        self._other(call, outcome, asked.began, asked.started)
        raise asyncio.CancelledError

    def _same(self, known: Repeat, now: float) -> bool:
        """Whether it is judged now by the same, and the same."""
        call = known.call
        if self.catalogue.find(call.server, call.operation, now) is not known.listed:
            return False
        verdict = self.verdicts.decide(call, now)
        if verdict is not known.verdict and verdict != known.verdict:
            return False
        return call.caller.phase(now) is known.phase

    def _hit(self, known: Repeat, entry: Entry, trace: str, began: float, started: float) -> Ended:
        if not self.fetching.free(known.call):
            return self._charged(known, entry, trace, began, started)
        outcome = from_cache(known.verdict, entry, entry.result, began, HIT)
        kept = self._note(known, outcome, self.ids(), trace, began, started)
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
        planned, phase = plan(call, verdict, now), call.caller.phase(now)
        key = planned.key
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
                tag=planned.tag,
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
