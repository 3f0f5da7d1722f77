"""What each caller gets to see of requests and grants."""

from collections.abc import Callable

import msgspec

from torhaus.admin.rights import may_govern, may_grant
from torhaus.model.approval import Approval, State
from torhaus.model.desk import Office
from torhaus.model.grant import AccessRequest, Asked, Grant, Granted
from torhaus.model.people import Principal
from torhaus.model.rules import Rules
from torhaus.policy.approvers import active, administers, is_same, may_decide

PAGE = 200
SCANNED = 2000
"""Rows looked at for one list, however few of them its reader may see."""


class View(msgspec.Struct, frozen=True):
    """Whose eyes, under which rules, when."""

    actor: Principal
    rules: Rules
    now: float

    def own(self, requester: str, email: str) -> bool:
        return is_same(self.actor, requester, email)

    def approval(self, approval: Approval) -> bool:
        """Requesters see their own, approvers what they may decide, administrators all."""
        wanted = approval.wanted
        return (
            self.own(wanted.requester, wanted.email)
            or self.can_decide(approval)
            or administers(self.actor, wanted.server, self.now)
        )

    def can_decide(self, approval: Approval) -> bool:
        return may_decide(self.actor, approval, self.rules, self.now) is None

    def request(self, request: AccessRequest) -> bool:
        return self.own(request.requester, request.email) or self._governs(request.role)

    def can_grant(self, request: AccessRequest) -> bool:
        own = self.own(request.requester, request.email)
        return not own and may_grant(self.actor, request.role, self.rules, self.now) is None

    def grant(self, grant: Grant) -> bool:
        return self.own(grant.user, grant.user) or self._governs(grant.role)

    def _governs(self, role: str) -> bool:
        return may_govern(self.actor, role, self.rules, self.now) is None

    def over(self) -> bool:
        """Whether the actor's access has ended, so that he sees nothing."""
        return not active(self.actor, self.now)


class Books:
    """Lists and single things, as one caller may see them. Raises StateError."""

    def __init__(self, office: Office, rules: Callable[[], Rules]) -> None:
        self._office = office
        self._rules = rules

    def view(self, actor: Principal, now: float) -> View:
        return View(actor, self._rules(), now)

    async def approvals(
        self, view: View, state: State | None, most: int, before: float | None = None
    ) -> list[Approval]:
        """The newest first."""
        found: list[Approval] = []
        seen = 0
        async with self._office.read() as desk:
            while len(found) < most and seen < SCANNED:
                page = await desk.approvals.newest(state, PAGE, before)
                found += [each for each in page if view.approval(each)]
                seen += len(page)
                if len(page) < PAGE:
                    break
                before = page[-1].created
        return found[:most]

    async def approval(self, view: View, id: str) -> Approval | None:
        async with self._office.read() as desk:
            found = await desk.approvals.get(id)
        return found if found is not None and view.approval(found) else None

    async def shown(self, id: str) -> Approval | None:
        """For whoever holds a signed link to it."""
        async with self._office.read() as desk:
            return await desk.approvals.get(id)

    async def requests(self, view: View, state: Asked | None, most: int) -> list[AccessRequest]:
        async with self._office.read() as desk:
            found = await desk.access.requests(state, SCANNED)
        return [each for each in found if view.request(each)][:most]

    async def request(self, view: View, id: str) -> AccessRequest | None:
        async with self._office.read() as desk:
            found = await desk.access.request(id)
        return found if found is not None and view.request(found) else None

    async def grants(self, view: View, most: int) -> list[Granted]:
        """Those of the database, ended ones too; the file's are in the rules."""
        async with self._office.read() as desk:
            found = await desk.access.grants(SCANNED)
        return [each for each in found if view.grant(each.grant)][:most]
