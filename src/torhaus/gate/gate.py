"""The gate. One call walks through `Gate.admit`, top to bottom, and leaves one record."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial

import msgspec

from torhaus.audit.shape import record, rejected
from torhaus.gate import calls, described, rounds
from torhaus.gate.approval import Consent
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import NO_TOOL, Catalogue, Listed
from torhaus.gate.described import HELLOS
from torhaus.gate.ends import failed, so_far, stopped
from torhaus.gate.fetching import Fetching
from torhaus.gate.flights import Flights
from torhaus.gate.intents import Intents
from torhaus.gate.learning import Learning, by
from torhaus.gate.lists import UNREADABLE, shown, shown_whatever
from torhaus.gate.masking import Masking
from torhaus.gate.pages import NO_HINTS
from torhaus.gate.patience import GaveUp, Patience
from torhaus.gate.recall import Recall
from torhaus.gate.sessions import Sessions
from torhaus.gate.verdicts import Verdicts
from torhaus.limits.spending import cost_of
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, error_object
from torhaus.mcp.methods import LISTS, MAY_ASK
from torhaus.mcp.seal import Sealer
from torhaus.model.call import Call
from torhaus.model.cost import NO_COSTS
from torhaus.model.outcome import (
    Abandoned,
    Answer,
    Answered,
    Failed,
    Outcome,
)
from torhaus.model.people import Principal
from torhaus.model.ports import (
    Ask,
    Cache,
    Counters,
    Detached,
    Ledger,
    LedgerError,
    Meter,
    Sink,
    UpstreamError,
    Upstreams,
)
from torhaus.model.servers import Era, Server
from torhaus.model.session import Session
from torhaus.model.verdict import Allow, Hold, Verdict
from torhaus.redact.guard import SHAPES, Guard
from torhaus.redact.text import UncheckableError

MODERN = Era.MODERN  # looking a member up costs more than comparing with it
WHOLE = frozenset(("tools/call", "resources/read"))
"""Methods whose kept answers everybody they are for may have as they are."""
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
    """Owned by one event loop. `clock`: Unix seconds; `stopwatch`: seconds, monotonic.

    `strict`: calls that only read leave an intent, too, before they go to their servers.
    """

    upstreams: Upstreams
    cache: Cache
    counters: Counters
    ledger: Ledger
    meter: Meter
    sealer: Sealer
    sessions: Sessions
    catalogue: Catalogue
    flights: Flights
    verdicts: Verdicts
    patience: Patience
    parked: dict[tuple[str, bytes], Parked]
    clock: Callable[[], float]
    stopwatch: Callable[[], float]
    ids: Callable[[], str]
    guard: Guard = SHAPES
    strict: bool = False
    learning: Learning = field(init=False)
    consent: Consent = field(init=False)
    masking: Masking = field(init=False)
    intents: Intents = field(init=False)
    fetching: Fetching = field(init=False)
    recall: Recall = field(init=False)

    def __post_init__(self) -> None:
        self.masking = Masking(
            rules=self.patience.rules,
            catalogue=self.catalogue,
            meter=self.meter,
            clock=self.clock,
        )
        self.intents = Intents(
            ledger=self.ledger, masking=self.masking, clock=self.clock, every=self.strict
        )
        self.fetching = Fetching(
            upstreams=self.upstreams,
            cache=self.cache,
            counters=self.counters,
            flights=self.flights,
            sealer=self.sealer,
            intents=self.intents,
            rules=self.patience.rules,
            clock=self.clock,
            ids=self.ids,
        )
        self.recall = Recall.of(self)
        self.learning = Learning(
            upstreams=self.upstreams,
            catalogue=self.catalogue,
            verdicts=self.verdicts,
            clock=self.clock,
            ids=self.ids,
        )
        self.consent = Consent(
            patience=self.patience, judge=self.learning.anew, shown=self.masking.shown
        )

    async def admit(self, asking: Asking, relay: Sink) -> Outcome:
        """Carry one request through the gate. Leaves exactly one record, whatever happens.

        One that may change something leaves an intent besides, before it goes to its server.
        Raises CallerError before there is a call, LedgerError when the record cannot be kept (then
        the answer must not leave), Detached when the answer may still come on a resumed stream.
        """
        self.intents.possible()
        began, started = self.clock(), self.stopwatch()
        asking, back = self.consent.returned(asking, began)
        call, listed = self._named(asking, began)
        # A retry whose state is not ours is no call; everything else is written out when needed.
        ask = calls.ask(asking, self.sealer, began) if call.retry else None
        verdict = self.verdicts.decide(call, began)
        outcome: Outcome | None = None
        elsewhere = False  # whether another one leaves the record
        try:
            if listed is None or listed.deny is not None:
                call, verdict = await self.learning.judged(asking, call, listed, verdict)
            if isinstance(verdict, Hold):
                asking, call, verdict, outcome = await self.consent.settle(
                    asking, call, verdict, back, relay
                )
            if isinstance(verdict, Allow):
                carry = self._carry
                if verdict.redact is not None:
                    asking, carry = self.masking.veiled(asking, verdict.redact), self._carry_veiled
                outcome = await carry(asking, call, ask, verdict, relay)
        except GaveUp as left:
            outcome = Abandoned(verdict, left.approval)
            raise
        except Detached:
            elsewhere = self._park(asking, call, verdict, began, started)
            raise
        except (CallerError, LedgerError) as error:
            outcome = stopped(verdict, error)
            # A message that never was a call is recorded by whoever answers it.
            elsewhere = isinstance(error, CallerError) and call.id not in self.intents.open
            raise
        except UpstreamError as error:
            outcome = failed(verdict, asking.server.name, self.guard.text(str(error)), error)
        finally:
            outcome = outcome or so_far(verdict)
            kept = None if elsewhere else self._note(asking, call, outcome, began, started)
        if kept is not None:
            await kept
        return outcome

    def _named(self, asking: Asking, now: float) -> tuple[Call, Listed | None]:
        """The call, and what is known of its tool. Raises CallerError."""
        request = asking.request
        listed: Listed | None = NO_TOOL
        if request.method == "tools/call":
            listed = self.catalogue.find(asking.server, calls.tool_name(request), now)
        hints = NO_HINTS if listed is None else listed.hints
        return calls.build(asking, self.ids(), hints), listed

    async def _carry(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        """An allowed call: from the cache if fresh, else within budget from the server."""
        if asking.era is MODERN:
            calls.check_headers(asking, call, self.catalogue)
        outcome = await self.fetching.carry(asking, call, ask, verdict, relay)
        if not isinstance(outcome, Answered):
            return outcome
        if outcome.cached and call.method in WHOLE:
            return self.recall.learnt(asking, call, outcome)
        kept = outcome.cached and call.method in LISTS
        # A list that was kept says nothing of what the server offers now.
        answer = (
            self._replayed(outcome.answer, asking.caller, asking.server)
            if kept
            else self.finish(asking, outcome.answer)
        )
        if answer is outcome.answer:
            return outcome
        return msgspec.structs.replace(outcome, answer=answer)

    async def _carry_veiled(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        """The same, masked on the way there and on the way back."""
        veil = asking.veil
        if veil is None:
            return await self._carry(asking, call, ask, verdict, relay)
        if asking.era is Era.MODERN:
            calls.check_headers(asking, call, self.catalogue)
        ask = ask or calls.ask(asking, self.sealer, 0.0)
        call, ask, relay = veil.over(call, ask, relay)
        masked = msgspec.structs.replace(asking, headers=ask.headers)
        try:
            outcome = await self._carry(masked, call, ask, verdict, relay)
        except Detached:
            raise  # its answer is masked when it comes
        except UpstreamError as error:
            raise type(error)(veil.text(str(error))) from error
        ended = await veil.ended(call.method, asking.era, outcome)
        if not isinstance(ended, Answered):
            return ended
        told = self._told(ended.answer)  # after the veil, which counts what it masks
        return ended if told is ended.answer else msgspec.structs.replace(ended, answer=told)

    def finish(self, asking: Asking, answer: Answer) -> Answer:
        """The answer as this caller may have it: lists filtered, state of rounds sealed."""
        result = answer.result
        method = asking.request.method
        if result is None:
            return answer if asking.veil is not None else self._told(answer)
        try:
            if method in LISTS:
                seen = self._list(asking, method, result)
            elif method in HELLOS:
                seen = described.seen(method, result)
            elif asking.era is MODERN and method in MAY_ASK:
                server, who, now = asking.server.name, asking.caller.id, self.clock()
                seen = rounds.sealed(result, asking.request, server, who, self.sealer, now)
                if asking.agreed is not None:
                    seen = self.patience.further.sealed(asking, asking.agreed, seen, now)
            else:
                return answer
        except UNREADABLE as error:
            raise UpstreamError("it sent a result that cannot be read") from error
        return answer if seen is result else msgspec.structs.replace(answer, result=seen)

    def _told(self, answer: Answer) -> Answer:
        """An error in the server's words, which may repeat the credential it was shown."""
        error = answer.error
        if error is None:
            return answer
        try:
            clean = self.guard.json(error)
        except UncheckableError:
            clean = error_object(codes.UPSTREAM_FAILED, "the server's error cannot be shown")
        return answer if clean is error else msgspec.structs.replace(answer, error=clean)

    def replayed(self, answer: Answer, caller: Principal, server: Server) -> Answer:
        """An answer without its request, as this caller may see it: lists filtered, or masked."""
        seen = self._replayed(answer, caller, server)
        return self.masking.replayed(seen, caller, server.name)

    def _replayed(self, answer: Answer, caller: Principal, server: Server) -> Answer:
        result = answer.result
        if result is None:
            return answer
        try:
            whole = described.whatever(result, partial(self.catalogue.shown, server))
            seen = shown_whatever(whole, caller, server, self.clock())
        except UNREADABLE:
            return Answer(error=error_object(codes.UPSTREAM_FAILED, "the answer cannot be read"))
        return answer if seen is result else msgspec.structs.replace(answer, result=seen)

    def _list(self, asking: Asking, method: str, result: bytes) -> bytes:
        """A list as this caller may see it: no tool that drifted, nothing that hides in a text."""
        server, now = asking.server, self.clock()
        if method == "tools/list":
            whole = "cursor" not in asking.request.params
            self.catalogue.seen(server, result, now, whole=whole, by=by(asking))
        clean = self.catalogue.shown(server, method, result)
        return shown(method, clean, asking.caller, server, now)

    # -- records -------------------------------------------------------------------------------

    def _note(
        self, asking: Asking, call: Call, outcome: Outcome, began: float, started: float
    ) -> Awaitable[None] | None:
        seconds = self.stopwatch() - started
        verdict, masked = outcome.verdict, 0
        if not isinstance(verdict, Allow) or verdict.redact is not None:
            call, masked = self.masking.recorded(call, verdict, asking.veil)
        costs = self.patience.rules().costs
        cost = 0.0 if costs is NO_COSTS else cost_of(call, outcome, costs)
        entry = record(call, outcome, began, seconds, masked, cost)
        self.meter.ended(call, outcome, entry.result.status, seconds)
        if call.id in self.intents.open:
            return self.intents.ended(entry)
        return self.ledger.note(entry)

    def noted(self, call: Call, outcome: Outcome, began: float) -> Awaitable[None] | None:
        """The record of what a caller told a server, as it was allowed to."""
        call, _ = self.masking.recorded(call, outcome.verdict, None)
        return self.intents.ended(record(call, outcome, began, self.clock() - began))

    def _park(
        self, asking: Asking, call: Call, verdict: Verdict, began: float, started: float
    ) -> bool:
        """Keep a call open whose stream ended before its answer. False: nobody can resume it."""
        if asking.session is None or not isinstance(verdict, Allow):
            return False
        key = (asking.session.jti, asking.request.id)
        self._give_up(asking.session, asking.request.id)  # one id was used for two calls
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
            try:
                answer = self.finish(parked.asking, answer)
                answer = self._told(self.masking.resumed(answer, parked.asking))
                outcome = Answered(parked.verdict, answer)
            except UpstreamError as error:
                text = f"{session.server} cannot answer: {self.guard.text(str(error))}"
                answer = Answer(error=error_object(codes.UPSTREAM_FAILED, text))
                outcome = Failed(parked.verdict, text)
        noted = self._note(parked.asking, parked.call, outcome, parked.began, parked.started)
        return answer, self.fetching.forgotten(parked.call, noted)

    def _give_up(self, session: Session, request_id: bytes) -> None:
        """A parked call ends without an answer, so nothing is held back for its record."""
        with suppress(LedgerError):  # the ledger has said so in the log
            _, kept = self.unpark(session, request_id, None)
            if asyncio.iscoroutine(kept):
                kept.close()  # what it would wait for goes on by itself

    def abandon(self, session: Session) -> None:
        """The session is over: its parked calls end without an answer."""
        for _, request_id in [key for key in self.parked if key[0] == session.jti]:
            self._give_up(session, request_id)

    def expire(self, now: float) -> None:
        """Parked calls that nobody came back for end after a while."""
        for parked in list(self.parked.values()):
            session = parked.asking.session
            if session is not None and parked.began + PARKED_FOR <= now:
                self._give_up(session, parked.asking.request.id)

    def reject(
        self, caller: Principal, ip: str, server: str, reason: str
    ) -> Awaitable[None] | None:
        """The record of a message from a known caller that never became a call."""
        return self.ledger.note(rejected(self.clock(), self.ids(), caller, ip, server, reason, 0.0))
