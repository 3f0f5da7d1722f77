"""What records and announcements say of requests and grants."""

from typing import Any

from torhaus.audit.acts import Act
from torhaus.model.approval import Approval, State
from torhaus.model.grant import AccessRequest, Grant


def approval_act(approval: Approval, operation: str, **more: Any) -> Act:
    """The act on an approval; arguments stay out, the call's own record has them."""
    wanted = approval.wanted
    facts = {
        "approval": approval.id,
        "tool": wanted.tool,
        "policy": wanted.policy,
        "requester": wanted.email,
        "decided_by": approval.decided_by,
    }
    return Act(
        operation=operation,
        server=wanted.server,
        facts={name: value for name, value in facts.items() if value is not None},
        **more,
    )


def moved(approval: Approval, new: State, **more: Any) -> Act:
    """An approval's way from one state to another; the operation is named by where it leads."""
    before, after = {"state": approval.state.value}, {"state": new.value}
    return approval_act(approval, f"approval.{new.value}", before=before, after=after, **more)


def request_act(request: AccessRequest, operation: str, **more: Any) -> Act:
    facts = {"request": request.id, "requester": request.email, "role": request.role}
    return Act(operation=operation, facts=facts, **more)


def grant_facts(grant: Grant) -> dict[str, Any]:
    return {
        "grant": grant.id,
        "user": grant.user,
        "role": grant.role,
        "begins": grant.begins,
        "ends": grant.ends,
    }
