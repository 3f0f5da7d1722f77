"""Telling a caller that somebody must agree first, in the way its client knows, and waiting."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass

import msgspec
import structlog

from torhaus.gate import delivery
from torhaus.gate.calls import Asking
from torhaus.gate.further import Further
from torhaus.gate.retries import Returned, Round, sealed
from torhaus.gate.waits import Wait, Waits
from torhaus.mcp.seal import Sealer
from torhaus.model.approval import Approval, State
from torhaus.model.outcome import Answer
from torhaus.model.people import Principal
from torhaus.model.ports import Approvals, Sink, StateError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era, Server

log = structlog.get_logger()

TICK = 1.0
"""Seconds between two looks whether the caller may still wait."""
PROGRESS_EVERY = 4.0
MOST_ROUNDS = 8
"""How often a stateless client is sent back before it is told to call again; by themselves most
give up after ten."""
REFUSING = ("decline", "cancel")

Told = tuple[Approval, Answer | None]
"""The request as it is now. With an answer, the caller is sent back with that."""


class GaveUp(asyncio.CancelledError):
    """The call was cancelled while it waited for `approval`."""

    def __init__(self, approval: str) -> None:
        super().__init__()
        self.approval = approval


@dataclass(slots=True, kw_only=True)
class Patience:
    """Owned by one event loop. `link`: where people see a request; None where there is no page."""

    approvals: Approvals
    rules: Callable[[], Rules]
    link: Callable[[Approval], str | None]
    sealer: Sealer
    waits: Waits
    further: Further
    clock: Callable[[], float]

    async def told(
        self, asking: Asking, approval: Approval, back: Returned | None, relay: Sink
    ) -> Told:
        """Let the caller know and, where its client cannot, wait. Raises GaveUp, StateError."""
        link = self.link(approval)
        question = None
        if link is not None and delivery.shows_links(asking):
            if asking.era is Era.MODERN:
                return await self._round(asking, approval, link, back, relay)
            question = link
        approval = await self._waited(asking, approval, relay, question)
        if approval.state is not State.PENDING:
            return approval, None
        return approval, delivery.pending(asking, approval, link)

    async def withdraw(self, id: str) -> None:
        """The requester does not want it any more. One that cannot be withdrawn expires."""
        try:
            await self.approvals.cancel(id, self.clock())
        except StateError as error:
            log.warning("approval.not.withdrawn", id=id, reason=str(error))

    def standing(self, asking: Asking) -> tuple[Principal, Server] | None:
        """Caller and server as the rules know them now; None when he would not be let in."""
        if asking.visit is None:
            return asking.caller, asking.server
        return asking.visit.renewed(self.rules(), self.clock())

    # -- rounds of a stateless client ----------------------------------------------------------

    async def _round(
        self, asking: Asking, approval: Approval, link: str, back: Returned | None, relay: Sink
    ) -> Told:
        if back is None or back.round.approval != approval.id:
            return approval, delivery.asks(approval, link, self._state(asking, approval, 1))
        if back.action in REFUSING:
            if not self.waits.waiting(approval.id):
                await self.withdraw(approval.id)
            return _cancelled(approval), None
        approval = await self._waited(asking, approval, relay, None)
        if approval.state is not State.PENDING:
            return approval, None
        if back.round.number >= MOST_ROUNDS:
            return approval, delivery.pending(asking, approval, link)
        state = self._state(asking, approval, back.round.number + 1)
        return approval, delivery.asks_to_wait(approval, link, state)

    def _state(self, asking: Asking, approval: Approval, number: int) -> str:
        return sealed(asking, Round(approval.id, number), self.sealer, approval.expires)

    # -- waiting -------------------------------------------------------------------------------

    async def _waited(
        self, asking: Asking, approval: Approval, relay: Sink, link: str | None
    ) -> Approval:
        """The request once it is decided, or as it is when the time to wait is over.

        `link`: what the user is asked to open meanwhile. Raises GaveUp.
        """
        wait = self.waits.begin(approval.id, asking.caller.id, asking.session, asking.request.id)
        if wait is None:
            return approval
        seconds = self.rules().approvals.hold
        longest = min(2 * seconds, max(0.0, approval.expires - self.clock()))
        decision = asyncio.ensure_future(self.approvals.wait(approval.id, longest))
        decision.add_done_callback(_heard)
        decision.add_done_callback(wait.ring)
        token = delivery.progress_token(asking)
        watch = _Watch(wait, approval, relay, link, token, seconds)
        try:
            await self._until(decision, watch, asking)
            if wait.action in REFUSING:
                approval = await self._declined(wait, approval)
            elif decision.done():
                approval = self._as_decided(approval, decision.result())
            watch.end(approval)
        except asyncio.CancelledError as error:
            raise GaveUp(approval.id) from error
        finally:
            self.waits.end(wait)
            decision.cancel()
        return approval

    async def _until(
        self, decision: "asyncio.Task[Approval | None]", watch: "_Watch", asking: Asking
    ) -> None:
        """Wait for the decision, the user's refusal, the end of time, or of the caller's right.

        A session's call goes on without its client once it is sent (L7). This one is not: an
        approval is better kept for when he calls again than used for an answer nobody reads.
        """
        watch.begin()
        while not (decision.done() or watch.over() or self.waits.closing):
            await watch.wait.rung(watch.pause())
            if watch.wait.action in REFUSING or self.standing(asking) is None:
                return
            if asking.visit is not None and asking.visit.gone:
                raise asyncio.CancelledError
            watch.beat()

    async def _declined(self, wait: Wait, approval: Approval) -> Approval:
        """Its user does not want it; another call that waits for it may still."""
        if not self.waits.shared(wait):
            await self.withdraw(approval.id)
        return _cancelled(approval)

    def _as_decided(self, approval: Approval, found: Approval | None) -> Approval:
        """A request that is not known any more, or that nobody decided in time, has expired."""
        now = found if found is not None else approval
        if found is None or (now.state is State.PENDING and now.expires <= self.clock()):
            return msgspec.structs.replace(now, state=State.EXPIRED)
        return now


@dataclass(slots=True)
class _Watch:
    """What the caller sees while he waits, and how long that is, in the loop's own time."""

    wait: Wait
    approval: Approval
    relay: Sink
    link: str | None
    token: object | None
    seconds: float
    until: float = 0.0
    due: float = 0.0
    steps: int = 0
    extended: bool = False

    def begin(self) -> None:
        self.until = _now() + self.seconds
        if self.link is not None:
            ask = delivery.asking_notice(self.approval, self.link, self.wait.question)
            self.relay.notice(ask)
        self._progress()

    def over(self) -> bool:
        return _now() >= self.until

    def pause(self) -> float:
        return min(TICK, max(0.0, self.until - _now()))

    def beat(self) -> None:
        if self.wait.action == "accept" and not self.extended:
            # Reading a question takes a while; somebody else decides only after that.
            self.extended = True
            self.until = _now() + self.seconds
        if _now() >= self.due:
            self._progress()

    def end(self, approval: Approval) -> None:
        """Nobody needs to answer the question, or look at its page, any more."""
        if self.link is None:
            return
        if self.wait.action is None:
            self.relay.notice(delivery.call_off_notice(self.wait.question))
        elif approval.state is not State.PENDING:
            self.relay.notice(delivery.complete_notice(approval))

    def _progress(self) -> None:
        self.due = _now() + PROGRESS_EVERY
        if self.token is not None:
            self.steps += 1
            self.relay.notice(delivery.progress_notice(self.token, self.steps, self.approval))


def _now() -> float:
    return asyncio.get_running_loop().time()


def _heard(decision: "asyncio.Task[Approval | None]") -> None:
    """Whether or not anybody still wants to know, a failure has been heard of."""
    if not decision.cancelled():
        decision.exception()


def _cancelled(approval: Approval) -> Approval:
    return msgspec.structs.replace(approval, state=State.CANCELLED)
