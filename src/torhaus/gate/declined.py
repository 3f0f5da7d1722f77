"""Why a call that needs approval is not carried out, in sentences a person can act on."""

from torhaus.audit.shape import plain
from torhaus.model.approval import Approval, State
from torhaus.model.call import Call
from torhaus.model.outcome import Refused
from torhaus.model.ports import StateError
from torhaus.model.verdict import Deny, Hold

MAX_COMMENT = 500
AGAIN = "Call again with the same arguments to ask anew."


def by_state(hold: Hold, approval: Approval) -> Refused:
    """An approval that is over, or was used by another call."""
    match approval.state:
        case State.DENIED:
            return denied(hold, approval)
        case State.CANCELLED:
            text = f"The request {approval.id} for approval was cancelled. {AGAIN}"
            return _refused(hold, approval, "approval_cancelled", text)
        case State.USED:
            return used(hold, approval)
        case _:
            return expired(hold, approval)


def denied(hold: Hold, approval: Approval) -> Refused:
    said = plain(" ".join(approval.comment.split()), MAX_COMMENT)
    comment = f": {said}" if said else ""
    text = (
        f"Denied by {approval.decided_by or 'an approver'}{comment}. It concerns request "
        f"{approval.id}; the same call can be asked for again once that has expired."
    )
    return _refused(hold, approval, "approval_denied", text)


def used(hold: Hold, approval: Approval) -> Refused:
    text = (
        f"The approval {approval.id} was used by another call, and every approval serves one. "
        f"{AGAIN}"
    )
    return _refused(hold, approval, "approval_used", text)


def expired(hold: Hold, approval: Approval) -> Refused:
    text = f"The request {approval.id} for approval has expired. {AGAIN}"
    return _refused(hold, approval, "approval_expired", text)


def changed(hold: Hold, approval: Approval) -> Refused:
    text = (
        f"The rules have changed since request {approval.id} was made, so its approval does not "
        f"hold for them. {AGAIN}"
    )
    return _refused(hold, approval, "policy_changed", text)


def unentitled(hold: Hold, approval: Approval, why: str) -> Refused:
    """The approver could not approve it today."""
    text = f"The approval {approval.id} does not stand any more: {why}. {AGAIN}"
    return _refused(hold, approval, "approver_not_entitled", text)


def gone(call: Call, approval: Approval) -> Refused:
    """The caller lost access while the call waited."""
    text = (
        f"Access of {call.caller.email} to {call.server.name} ended while the call waited. "
        f"Ask an administrator."
    )
    return Refused(Deny("default_deny", "no_access", text), approval.id)


def unavailable(hold: Hold, error: StateError) -> Refused:
    """Fail closed: where no request can be kept, nobody can have agreed."""
    text = (
        f"This call needs approval by the policy {hold.rule!r}, which cannot be asked for now: "
        f"{error}. Nothing was sent. Try again in a moment, or tell an administrator."
    )
    return Refused(Deny(hold.rule, "approval_unavailable", text, hold.allow.actions))


def unreadable(hold: Hold) -> Refused:
    text = (
        "The arguments are too long, too deep or cannot be written down exactly, so that nobody "
        "could look at them and agree. Send at most 256 KiB."
    )
    return Refused(Deny(hold.rule, "bad_argument", text, hold.allow.actions))


def _refused(hold: Hold, approval: Approval, code: str, text: str) -> Refused:
    return Refused(Deny(hold.rule, code, text, hold.allow.actions), approval.id)
