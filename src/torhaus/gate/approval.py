"""A call that somebody else must agree to: ask, look again at everything, use the approval up."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog

from torhaus.gate import declined, retries
from torhaus.gate.calls import Agreement, Asking
from torhaus.gate.patience import Patience
from torhaus.gate.retries import Returned
from torhaus.gate.wanted import wanted
from torhaus.model.approval import Approval, State
from torhaus.model.call import Call
from torhaus.model.outcome import Abandoned, Answer, Held, Outcome, Refused
from torhaus.model.ports import Sink, StateError
from torhaus.model.rules import Rules
from torhaus.model.servers import Era
from torhaus.model.verdict import Deny, Hold, Verdict
from torhaus.policy.approvers import may_decide

log = structlog.get_logger()


Settled = tuple[Asking, Call, Verdict, Outcome]
"""The call as the rules stand now, its verdict, and how it ends if nobody carries it further.

With an Allow it may be carried out; with anything else that is its end.
"""


@dataclass(slots=True, kw_only=True)
class Consent:
    """Owned by one event loop. `judge`: catalogue and policy, as a call meets them now.

    `shown`: arguments as approvers may see them, where rules have them masked.
    """

    patience: Patience
    judge: Callable[[Asking, Call], Awaitable[tuple[Call, Verdict]]]
    shown: Callable[[str], str]

    def returned(self, asking: Asking, now: float) -> tuple[Asking, Returned | None]:
        """The request without what only we put into it. Raises CallerError (-32602)."""
        if asking.era is not Era.MODERN or "requestState" not in asking.request.params:
            return asking, None
        back = retries.returned(asking, self.patience.sealer, now)
        if back is not None:
            return back.asking, back
        return self.patience.further.opened(asking, now) or asking, None

    async def settle(
        self, asking: Asking, call: Call, hold: Hold, back: Returned | None, relay: Sink
    ) -> Settled:
        """Whether somebody has agreed to exactly this call; waits for it as long as it may.

        Nothing is sent to the server and nothing used up. Raises GaveUp, UpstreamError.
        """
        version = self.patience.rules().policy_version
        agreed = asking.agreed
        if agreed is not None and agreed.version == version:
            allow = msgspec.structs.replace(hold.allow, approved=agreed.id)
            return asking, call, allow, Abandoned(allow, agreed.id)
        try:
            want = wanted(asking, call, hold, version)
        except ValueError:
            return asking, call, hold, declined.unreadable(hold)
        if hold.allow.redact is not None:
            want = msgspec.structs.replace(want, arguments=self.shown(want.arguments))
        try:
            approval = await self.patience.approvals.request(want, self.patience.clock())
            answer = None
            if approval.state is State.PENDING:
                approval, answer = await self.patience.told(asking, approval, back, relay)
            ended = await self._ended(asking, call, hold, approval, answer)
            if ended is None:
                return await self._agreed(asking, call, hold, approval)
        except StateError as error:
            log.error("approval.unavailable", call=call.id, reason=str(error))
            ended = declined.unavailable(hold, error)
        return asking, call, hold, ended

    async def _take(self, approval: Approval, hold: Hold) -> Refused | None:
        """Use the approval up, the last thing before the call is sent. None: it was ours."""
        now = self.patience.clock()
        try:
            won = await self.patience.approvals.take(approval.id, approval.wanted, now)
        except StateError as error:
            log.error("approval.unavailable", id=approval.id, reason=str(error))
            return declined.unavailable(hold, error)
        if won:
            return None
        over = approval.expires <= now
        return declined.expired(hold, approval) if over else declined.used(hold, approval)

    async def _ended(
        self, asking: Asking, call: Call, hold: Hold, approval: Approval, answer: Answer | None
    ) -> Held | Refused | None:
        """Why there is nothing to carry out; None when somebody agreed who still may."""
        rules, now = self.patience.rules(), self.patience.clock()
        if self.patience.standing(asking) is None:
            return declined.gone(call, approval)
        if answer is not None:
            return Held(hold, approval.id, answer)
        over = _over(hold, approval, rules, now)
        if over is not None:
            return over
        why = _unentitled(approval, rules, now)
        if why is None:
            return None
        await self.patience.withdraw(approval.id)  # or it would stand in the way of a new one
        return declined.unentitled(hold, approval, why)

    async def _agreed(self, asking: Asking, call: Call, hold: Hold, approval: Approval) -> Settled:
        """The world may have changed since somebody agreed, so the call is decided again."""
        standing = self.patience.standing(asking)
        if standing is None:
            return asking, call, hold, declined.gone(call, approval)
        caller, server = standing
        agreed = Agreement(
            id=approval.id,
            version=approval.wanted.policy_version,
            take=partial(self._take, approval, hold),
        )
        asking = msgspec.structs.replace(asking, caller=caller, server=server, agreed=agreed)
        call = msgspec.structs.replace(call, caller=caller, server=server)
        call, verdict = await self.judge(asking, call)
        if isinstance(verdict, Deny):
            return asking, call, verdict, Refused(verdict, approval.id)
        if isinstance(verdict, Hold):
            if not set(verdict.approvers) <= set(approval.wanted.approvers):
                await self.patience.withdraw(approval.id)  # now others must agree as well
                return asking, call, verdict, declined.changed(hold, approval)
            verdict = verdict.allow
        allow = msgspec.structs.replace(verdict, approved=approval.id)
        return asking, call, allow, Abandoned(allow, approval.id)


def _over(hold: Hold, approval: Approval, rules: Rules, now: float) -> Refused | None:
    """Why it is no approval, or none for today's rules."""
    if approval.state is not State.APPROVED:
        return declined.by_state(hold, _with_address(approval, rules))
    if approval.expires <= now:
        return declined.expired(hold, approval)
    if rules.policy_version != approval.wanted.policy_version:
        return declined.changed(hold, approval)
    return None


def _with_address(approval: Approval, rules: Rules) -> Approval:
    """People know each other by address."""
    by = rules.principals.get(approval.decided_by or "")
    return approval if by is None else msgspec.structs.replace(approval, decided_by=by.email)


def _unentitled(approval: Approval, rules: Rules, now: float) -> str | None:
    """Why whoever approved it could not do so now; None when he could."""
    approver = rules.principals.get(approval.decided_by or "")
    if approver is None:
        return "whoever approved it is not in the configuration any more"
    return may_decide(approver, approval, rules, now)
