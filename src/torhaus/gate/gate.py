"""The gate. One call walks through `Gate.admit`, top to bottom, and leaves one record."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import msgspec

from torhaus.audit.shape import record, rejected
from torhaus.gate import calls
from torhaus.gate.answers import Answers
from torhaus.gate.approval import Consent
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import NO_TOOL, Catalogue, Listed
from torhaus.gate.connecting import Connect, Link, nowhere
from torhaus.gate.ends import failed, so_far, stopped, told
from torhaus.gate.fetching import Fetching
from torhaus.gate.flights import Flights
from torhaus.gate.intents import Intents
from torhaus.gate.lapses import Lapses
from torhaus.gate.learning import Learning
from torhaus.gate.masking import Masking
from torhaus.gate.pages import NO_HINTS
from torhaus.gate.parked import Parked as Parked
from torhaus.gate.patience import GaveUp, Patience
from torhaus.gate.recall import Recall
from torhaus.gate.retries import Returned
from torhaus.gate.sessions import Sessions
from torhaus.gate.tasks import SPECIAL, Tasks
from torhaus.gate.verdicts import Verdicts
from torhaus.limits.spending import cost_of
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, error_object
from torhaus.mcp.methods import LISTS
from torhaus.mcp.seal import Sealer
from torhaus.model.call import Call
from torhaus.model.cost import NO_COSTS
from torhaus.model.outcome import Abandoned, Answer, Answered, Failed, Outcome
from torhaus.model.people import Principal
from torhaus.model.ports import (
    Ask,
    Cache,
    Counters,
    Detached,
    Ledger,
    LedgerError,
    Meter,
    NotConnected,
    Sink,
    UpstreamError,
    Upstreams,
)
from torhaus.model.servers import Era
from torhaus.model.session import Session
from torhaus.model.verdict import Allow, Hold, Verdict
from torhaus.redact.guard import SHAPES, Guard

MODERN = Era.MODERN  # looking a member up costs more than comparing with it
WHOLE = frozenset(("tools/call", "resources/read"))
"""Methods whose kept answers everybody they are for may have as they are."""
PARKED_FOR = 900.0
"""Seconds a call waits for its client to resume the stream."""


@dataclass(slots=True, kw_only=True)
class Gate:
    """Owned by one event loop. `clock`: Unix seconds; `stopwatch`: seconds, monotonic.

    `strict`: calls that only read leave an intent, too, before they go to their servers. `link`:
    where callers connect accounts.
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
    link: Link = nowhere
    connect: Connect = field(init=False)
    learning: Learning = field(init=False)
    consent: Consent = field(init=False)
    masking: Masking = field(init=False)
    intents: Intents = field(init=False)
    fetching: Fetching = field(init=False)
    recall: Recall = field(init=False)
    tasks: Tasks = field(init=False)
    answers: Answers = field(init=False)

    def __post_init__(self) -> None:
        self.connect = Connect(link=self.link, sealer=self.sealer, clock=self.clock)
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
            lapses=Lapses(intents=self.intents, ids=self.ids),
            rules=self.patience.rules,
            clock=self.clock,
            ids=self.ids,
        )
        self.recall = Recall.of(self)
        self.tasks = Tasks(
            sealer=self.sealer,
            verdicts=self.verdicts,
            catalogue=self.catalogue,
            clock=self.clock,
        )
        self.answers = Answers(
            catalogue=self.catalogue,
            sealer=self.sealer,
            tasks=self.tasks,
            further=self.patience.further,
            masking=self.masking,
            guard=self.guard,
            clock=self.clock,
        )
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
        asking, back, again = self._returned(asking, began)
        asking, call, listed, verdict = self._begun(asking, began)
        # A retry whose state is not ours is no call; everything else is written out when needed.
        ask = calls.ask(asking, self.sealer, began) if call.retry else None
        outcome: Outcome | None = None
        elsewhere = False  # whether another one leaves the record
        try:
            if listed is None or listed.deny is not None:
                call, verdict = await self.learning.judged(asking, call, listed, verdict)
            if type(verdict) is Hold:
                asking, call, verdict, outcome = await self.consent.settle(
                    asking, call, verdict, back, relay
                )
            if type(verdict) is Allow:  # a third of the price of `isinstance`
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
            outcome = self._failed(asking, verdict, error, again=again)
        finally:
            outcome = outcome or so_far(verdict)
            kept = None if elsewhere else self._note(asking, call, outcome, began, started)
        if kept is not None:
            calls.settled(asking, outcome)
            await kept
        return outcome

    def _returned(self, asking: Asking, now: float) -> tuple[Asking, Returned | None, bool]:
        """The request without what only we put into it; whether that was a link to connect.

        Raises CallerError (-32602).
        """
        if "requestState" not in asking.request.params:  # nearly every call
            return asking, None, False
        first = self.connect.returned(asking)
        again = first is not asking
        asking, back = self.consent.returned(first, now)
        return asking, back, again

    def _failed(
        self, asking: Asking, verdict: Verdict, error: UpstreamError, *, again: bool
    ) -> Outcome:
        if isinstance(error, NotConnected) and isinstance(verdict, Allow):
            # A client whose list fails drops the server, and never gets to where the link is.
            known = self.connect.known(asking, self.catalogue)
            if known is not None:
                return Answered(verdict, self.answers.replayed(known, asking.caller, asking.server))
            return Answered(verdict, self.connect.told(asking, error, again=again))
        return failed(verdict, asking.server.name, self.guard.text(str(error)), error)

    def _begun(self, asking: Asking, now: float) -> tuple[Asking, Call, Listed | None, Verdict]:
        """The call, what is known of its tool, and what is decided. Raises CallerError."""
        request = asking.request
        if request.method in SPECIAL:
            asking = self.tasks.asked(asking)
            call, verdict = self.tasks.judged(asking, calls.build(asking, self.ids(), NO_HINTS))
            return asking, call, NO_TOOL, verdict
        listed: Listed | None = NO_TOOL
        tool = None
        if request.method == "tools/call":
            tool = calls.tool_name(request)
            listed = self.catalogue.find(asking.server, tool, now)
        hints = NO_HINTS if listed is None else listed.hints
        call = calls.build(asking, self.ids(), hints, tool)
        return asking, call, listed, self.verdicts.decide(call, now)

    async def _carry(
        self, asking: Asking, call: Call, ask: Ask | None, verdict: Allow, relay: Sink
    ) -> Outcome:
        """An allowed call: from the cache if fresh, else within budget from the server."""
        if asking.era is MODERN:
            calls.check_headers(asking, call, self.catalogue)
        elif call.method == "tools/call":
            marked = self.catalogue.marks(asking.server.name, call.operation)
            if marked:
                asking, ask = calls.repeating(asking, call, ask, marked)
        outcome = await self.fetching.carry(asking, call, ask, verdict, relay)
        if type(outcome) is not Answered:
            return outcome
        if asking.task is not None:
            await self.fetching.forget(self.tasks.untrue(asking, call, outcome.answer.result))
        if outcome.cached and call.method in WHOLE:
            return self.recall.learnt(asking, call, outcome)
        kept = outcome.cached and call.method in LISTS
        # A list that was kept says nothing of what the server offers now.
        answer = (
            self.answers.kept(outcome.answer, asking.caller, asking.server)
            if kept
            else self.answers.finished(asking, outcome.answer)
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
        if asking.era is MODERN:
            calls.check_headers(asking, call, self.catalogue)
        ask = ask or calls.ask(asking, self.sealer, 0.0)
        call, ask, relay = await veil.over(call, ask, relay)
        masked = msgspec.structs.replace(asking, headers=ask.headers)
        try:
            outcome = await self._carry(masked, call, ask, verdict, relay)
        except Detached:
            raise  # its answer is masked when it comes
        except UpstreamError as error:
            error.args = (veil.text(str(error)),)
            raise
        ended = await veil.ended(call.method, asking.era, outcome)
        if not isinstance(ended, Answered):
            return ended
        seen = told(ended.answer, self.guard)  # after the veil, which counts what it masks
        return ended if seen is ended.answer else msgspec.structs.replace(ended, answer=seen)

    # -- records -------------------------------------------------------------------------------

    def _note(
        self, asking: Asking, call: Call, outcome: Outcome, began: float, started: float
    ) -> Awaitable[None] | None:
        seconds = self.stopwatch() - started
        verdict, masked = outcome.verdict, 0
        if type(verdict) is not Allow or verdict.redact is not None:
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
                answer = self.answers.finished(parked.asking, answer)
                answer = told(self.masking.resumed(answer, parked.asking), self.guard)
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
