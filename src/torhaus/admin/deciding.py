"""Acts on requests for approval."""

import unicodedata

import msgspec

from torhaus.admin.acts import CancelApproval, DecideApproval, Effect, Refusal, Scene
from torhaus.admin.facts import approval_act, moved
from torhaus.audit.acts import Act
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.approval import Approval, State
from torhaus.model.desk import Desk
from torhaus.model.texts import filled, marked
from torhaus.policy.approvers import administers, is_same, may_decide

MAX_COMMENT = 1000
_HIDDEN = ("Cc", "Cs")
OPEN = (State.PENDING, State.APPROVED)
NO_REQUEST = marked("there is no such request for approval")
_ANSWERED = marked("this request is answered already")
_ALONE = {
    State.EXPIRED: marked("this request is expired already"),
    State.CANCELLED: marked("this request is cancelled already"),
}
_BY = {
    State.APPROVED: marked("this request is approved by {person} already"),
    State.DENIED: marked("this request is denied by {person} already"),
    State.USED: marked("this request is used already; {person} had approved it"),
    State.EXPIRED: marked("this request is expired already; {person} had approved it"),
    State.CANCELLED: marked("this request is cancelled already; {person} had approved it"),
}


async def decide_approval(desk: Desk, scene: Scene, act: DecideApproval) -> Effect | Refusal:
    new = State.APPROVED if act.approve else State.DENIED
    approval = await desk.approvals.get(act.id)
    if approval is None:
        return unknown(act.id, f"approval.{new.value}")
    tried = approval_act(approval, f"approval.{new.value}")
    why = may_decide(scene.actor, approval, scene.rules, scene.now)
    if why is not None:
        return Refusal("not_allowed", why, tried)
    wrong = unreadable(act.comment)
    if wrong is not None:
        return Refusal("invalid", f"the comment {wrong}", tried)
    decided = msgspec.structs.replace(
        approval,
        state=new,
        decided_by=scene.actor.id,
        decided_at=scene.now,
        comment=act.comment,
    )
    if not await desk.approvals.decide(act.id, new, scene.actor.id, act.comment, scene.now):
        return Refusal("conflict", _over(approval, scene.now), tried)
    return Effect(
        result=decided,
        act=approval_act(decided, tried.operation, before=_state(approval), after=_state(decided)),
        rule=approval.wanted.policy,
        news=(_told(decided, scene),),
        approval=act.id,
    )


async def cancel_approval(desk: Desk, scene: Scene, act: CancelApproval) -> Effect | Refusal:
    approval = await desk.approvals.get(act.id)
    if approval is None:
        return unknown(act.id, "approval.cancelled")
    done = moved(approval, State.CANCELLED)
    wanted = approval.wanted
    own = is_same(scene.actor, wanted.requester, wanted.email)
    if not own and not administers(scene.actor, wanted.server, scene.now):
        text = marked("only {person} and administrators of {server} may cancel this")
        text = filled(text, person=wanted.email, server=wanted.server)
        return Refusal("not_allowed", text, done)
    state = approval.state
    if state not in OPEN or not await desk.approvals.move(act.id, state, State.CANCELLED):
        return Refusal("conflict", _over(approval, scene.now), done)
    cancelled = msgspec.structs.replace(approval, state=State.CANCELLED)
    rule = "own request" if own else f"admin on {wanted.server}"
    return Effect(result=cancelled, act=done, rule=rule, approval=act.id)


def unreadable(text: str) -> str | None:
    """Why people could not read it, or the database not keep it: PostgreSQL knows no NUL."""
    if len(text) > MAX_COMMENT:
        return f"is longer than {MAX_COMMENT} characters"
    if any(unicodedata.category(each) in _HIDDEN and each not in "\r\n\t" for each in text):
        return "holds control characters"
    return None


def unknown(id: str, operation: str) -> Refusal:
    act = Act(operation=operation, facts={"approval": id[:64]})
    return Refusal("not_found", NO_REQUEST, act)


def _state(approval: Approval) -> dict[str, str]:
    return {"state": approval.state.value}


def _over(approval: Approval, now: float) -> str:
    if approval.state in OPEN and approval.expires <= now:
        return marked("this request has expired: the call has to be made again")
    if approval.decided_by is None:
        return _ALONE.get(approval.state, _ANSWERED)
    return filled(_BY.get(approval.state, _ANSWERED), person=approval.decided_by)


def _told(approval: Approval, scene: Scene) -> Announcement:
    wanted = approval.wanted
    return Announcement(
        kind=Kind.APPROVAL_DECIDED,
        text=(
            f"{scene.actor.email} has {approval.state.value} "
            f"{wanted.server}.{wanted.tool} for {wanted.email}."
        ),
        at=scene.now,
        to=(wanted.email,),
        facts={"approval": approval.id, "state": approval.state.value, "server": wanted.server},
    )
