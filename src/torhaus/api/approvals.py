"""`/api/v1/approvals`: requests for approval of calls."""

from typing import Annotated

from fastapi import APIRouter, Path, Query

from torhaus.admin.acts import CancelApproval, DecideApproval
from torhaus.api.backstage import MOST, Backstage
from torhaus.api.door import Who
from torhaus.api.problems import ProblemError
from torhaus.api.shapes import ApprovalOut, Decision
from torhaus.model.approval import State

Id = Annotated[str, Path(pattern=r"^[\w:.-]{1,64}$", description="The request's id.")]
NONE = Decision()


def router(backstage: Backstage) -> APIRouter:
    routes = APIRouter(prefix="/approvals", tags=["approvals"])

    @routes.get("")
    async def list_approvals(
        who: Who,
        state: Annotated[State | None, Query(description="Only those in this state.")] = None,
        limit: Annotated[int, Query(ge=1, le=MOST)] = 50,
    ) -> list[ApprovalOut]:
        """Yours, those you may decide, and all on servers you administer; the newest first."""
        view = backstage.view(who)
        found = await backstage.books.approvals(view, state, limit)
        return [ApprovalOut.of(each, view) for each in found]

    @routes.get("/{id}")
    async def show_approval(id: Id, who: Who) -> ApprovalOut:
        """One of them, with the call's arguments."""
        view = backstage.view(who)
        found = await backstage.books.approval(view, id)
        if found is None:
            raise ProblemError(404, "not_found", "there is no such request that you may see")
        return ApprovalOut.of(found, view)

    @routes.post("/{id}/approve")
    async def approve(id: Id, who: Who, decision: Decision = NONE) -> ApprovalOut:
        """Agree to exactly this call, once."""
        done = await backstage.act(who, DecideApproval(id, True, decision.comment))
        return ApprovalOut.of(done, backstage.view(who))

    @routes.post("/{id}/deny")
    async def deny(id: Id, who: Who, decision: Decision = NONE) -> ApprovalOut:
        """Say no."""
        done = await backstage.act(who, DecideApproval(id, False, decision.comment))
        return ApprovalOut.of(done, backstage.view(who))

    @routes.post("/{id}/cancel")
    async def cancel(id: Id, who: Who) -> ApprovalOut:
        """Withdraw your own request, or take an approval back as administrator."""
        done = await backstage.act(who, CancelApproval(id))
        return ApprovalOut.of(done, backstage.view(who))

    return routes
