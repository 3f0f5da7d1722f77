"""The gate. One call walks through `Gate.admit`, top to bottom, and leaves one record."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import msgspec

from torhaus.audit.shape import record, rejected
from torhaus.cache.plan import Plan, keepable, plan
from torhaus.gate import calls, rounds
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.flights import Flights
from torhaus.gate.lists import filtered
from torhaus.gate.sessions import Sessions
from torhaus.limits.charges import charges
from torhaus.mcp import eras
from torhaus.mcp.methods import LISTS, MAY_ASK
from torhaus.mcp.seal import Sealer
from torhaus.model.call import Call
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Limited,
    Outcome,
    Refused,
)
from torhaus.model.people import Principal
from torhaus.model.ports import (
    Ask,
    Cache,
    Counters,
    Detached,
    Entry,
    Ledger,
    LedgerError,
    Link,
    Meter,
    Sink,
    UpstreamError,
    Upstreams,
)
from torhaus.model.servers import Era
from torhaus.model.session import Session
from torhaus.model.verdict import Allow, Deny, Verdict
from torhaus.policy.decide import decide
from torhaus.policy.visible import may_use, visible

PARKED_FOR = 900.0
"""Seconds a call waits for its client to resume the stream."""


class Parked(msgspec.Struct, frozen=True):
    """A call whose answer is still to come, on a stream that the client opens to resume it."""

    asking: Asking
    call: Call
    verdict: Allow
    began: float
    started: float


@dataclass(slots=True, kw_only=True)
class Gate:
    """Owned by one event loop. `clock`: Unix seconds; `stopwatch`: seconds, monotonic."""

    upstreams: Upstreams
    cache: Cache
    counters: Counters
    ledger: Ledger
    meter: Meter
    sealer: Sealer
    sessions: Sessions
    catalogue: Catalogue
    flights: Flights
    parked: dict[tuple[str, bytes], Parked]
    clock: Callable[[], float]
    stopwatch: Callable[[], float]
    ids: Callable[[], str]

    async def admit(self, asking: Asking, relay: Sink) -> Outcome:
        """Carry one request through the gate. Leaves exactly one record, whatever happens.

        Raises CallerError before there is a call, LedgerError when the record cannot be kept (then
        the answer must not leave), Detached when the answer may still come on a resumed stream.
        """
        if not self.ledger.healthy():
            raise LedgerError("the audit log cannot be written")
        began, started = self.clock(), self.stopwatch()
        request = asking.request
        hints = calls.NO_HINTS
        if request.method == "tools/call":
            name = calls.tool_name(request)
            said = self.catalogue.hints(asking.server.name, name, began)
            hints = await self._learned(asking, name, began) if said is None else said
        call = calls.build(asking, self.ids(), hints)
        # A retry whose state is not ours is no call; everything else is written out when needed.
        ask = calls.ask(asking, self.sealer, began) if call.retry else None
        verdict = decide(call, began)
        outcome: Outcome = Abandoned(verdict)
        parked = False
        try:
            if isinstance(verdict, Deny):
                outcome = Refused(verdict)
            else:
                outcome = await self._carry(asking, call, ask, verdict, relay)
        except Detached:
            parked = self._park(asking, call, verdict, began, started)
            raise
        except UpstreamError as error:
            text = f"{asking.server.name} cannot answer: {error}"
            outcome = Failed(verdict, text) if isinstance(verdict, Allow) else outcome
        finally:
            kept = None if parked else self._note(call, outcome, began, started)
        if kept is not None:
            await kept
        return outcome

    async def _carry(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        """An allowed call: from the cache if fresh, else within budget from the server."""
        keep = plan(call, verdict)
        if keep.key is not None:
            known = await self._known(asking, call, verdict, keep.key)
            if known is not None:
                return known
        budgets = charges(call)
        if budgets:
            shortage = await self.counters.spend(budgets, self.clock())
            if shortage is not None:
                return Limited(verdict, shortage.charge.limit, shortage.retry_after)
        link = self.upstreams.link(asking.server)
        if ask is None:
            ask = calls.ask(asking, self.sealer, 0.0)
        if keep.key is None:
            answer = await link.request(ask, relay)
        else:
            answer = await self._fetch(keep.key, keep, link, ask, relay)
        return Answered(verdict, self.finish(asking, answer), cacheable=keep.key is not None)

    async def _known(
        self, asking: Asking, call: Call, verdict: Allow, key: bytes
    ) -> Answered | None:
        """The answer from the cache, or from an identical call that is under way."""
        now = self.clock()
        entry = await self.cache.get(key, now)
        if entry is not None:
            result = _in_era(asking.era, entry.era, call.method, entry.result)
            answer = Answer(result=result)
            return Answered(verdict, answer, cached=True, age=now - entry.stored, cacheable=True)
        flight = self.flights.joined(key)
        if flight is None:
            return None
        shared = await flight.wait()
        if shared.result is None or not keepable(shared.result):
            return None  # such an answer belongs to its own caller: ask again
        answer = Answer(result=_in_era(asking.era, flight.era, call.method, shared.result))
        return Answered(verdict, answer, cached=True, cacheable=True)

    async def _fetch(self, key: bytes, keep: Plan, link: Link, ask: Ask, relay: Sink) -> Answer:
        async def call() -> Answer:
            answer = await link.request(ask, relay)
            if answer.result is not None and keepable(answer.result):
                now = self.clock()
                entry = Entry(answer.result, ask.era, now, now + keep.ttl)
                await self.cache.put(key, entry, keep.tag)
            return answer

        return await self.flights.start(key, ask.era, call).wait()

    def finish(self, asking: Asking, answer: Answer) -> Answer:
        """The answer as this caller may have it: lists filtered, state of rounds sealed."""
        result = answer.result
        method = asking.request.method
        if result is None:
            return answer
        if method in LISTS:
            shown = self._list(asking, method, result)
        elif asking.era is Era.MODERN and method in MAY_ASK:
            server, caller = asking.server.name, asking.caller.id
            shown = rounds.sealed(result, asking.request, server, caller, self.sealer, self.clock())
        else:
            return answer
        return answer if shown is result else msgspec.structs.replace(answer, result=shown)

    def _list(self, asking: Asking, method: str, result: bytes) -> bytes:
        server, caller = asking.server, asking.caller
        try:
            if method == "tools/list":
                whole = "cursor" not in asking.request.params and b'"nextCursor"' not in result
                if whole:
                    self.catalogue.learn(server.name, [result], self.clock())
                return filtered(
                    method, result, lambda name, hints: visible(caller, server, name, hints)
                )
        except (msgspec.MsgspecError, KeyError) as error:
            raise UpstreamError(f"{server.name} sent a list that cannot be read") from error
        return result

    # -- what a decision needs to know ---------------------------------------------------------

    async def _learned(self, asking: Asking, name: str, now: float) -> calls.Hints:
        """What the server says of the tool. Its list is fetched once before the first decision."""
        server = asking.server.name
        if not may_use(asking.caller, asking.server):
            return calls.NO_HINTS  # the decision is no already: nothing may reach the server
        try:
            pages = await calls.pages(self.upstreams.link(asking.server), asking, self.ids)
            self.catalogue.learn(server, pages, now)
        except (UpstreamError, msgspec.MsgspecError):
            self.catalogue.missed(server, now)
        return self.catalogue.hints(server, name, now) or calls.NO_HINTS

    # -- records -------------------------------------------------------------------------------

    def _note(
        self, call: Call, outcome: Outcome, began: float, started: float
    ) -> Awaitable[None] | None:
        seconds = self.stopwatch() - started
        entry = record(call, outcome, began, seconds)
        self.meter.ended(call, outcome, entry.result.status, seconds)
        return self.ledger.note(entry)

    def _park(
        self, asking: Asking, call: Call, verdict: Verdict, began: float, started: float
    ) -> bool:
        """Keep a call open whose stream ended before its answer. False: nobody can resume it."""
        if asking.session is None or not isinstance(verdict, Allow):
            return False
        key = (asking.session.jti, asking.request.id)
        self.parked[key] = Parked(asking, call, verdict, began, started)
        return True

    def unpark(
        self, session: Session, request_id: bytes, answer: Answer | None
    ) -> tuple[Answer | None, Awaitable[None] | None]:
        """End a parked call with the answer that came on another stream, or without one.

        Returns what the caller may have of it, and what to await before it leaves.
        """
        parked = self.parked.pop((session.jti, request_id), None)
        if parked is None:
            return answer, None
        outcome: Outcome = Abandoned(parked.verdict)
        if answer is not None:
            answer = self.finish(parked.asking, answer)
            outcome = Answered(parked.verdict, answer)
        return answer, self._note(parked.call, outcome, parked.began, parked.started)

    def abandon(self, session: Session) -> None:
        """The session is over: its parked calls end without an answer."""
        for _, request_id in [key for key in self.parked if key[0] == session.jti]:
            self.unpark(session, request_id, None)

    def expire(self, now: float) -> None:
        """Parked calls that nobody came back for end after a while."""
        for parked in list(self.parked.values()):
            session = parked.asking.session
            if session is not None and parked.began + PARKED_FOR <= now:
                self.unpark(session, parked.asking.request.id, None)

    def reject(
        self, caller: Principal, ip: str, server: str, reason: str
    ) -> Awaitable[None] | None:
        """The record of a message from a known caller that never became a call."""
        return self.ledger.note(rejected(self.clock(), self.ids(), caller, ip, server, reason, 0.0))


def _in_era(wanted: Era, had: Era, method: str, result: bytes) -> bytes:
    if wanted is had:
        return result
    if wanted is Era.MODERN:
        return eras.to_modern_result(method, result, None)
    return eras.to_legacy_result(result)
