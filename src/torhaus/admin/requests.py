"""The gate's side of approvals: asking, waiting, using one up, each recorded as it happens."""

import asyncio
from collections.abc import Coroutine
from typing import Any, TypeVar

import msgspec

from torhaus.admin.facts import approval_act, moved
from torhaus.admin.links import DecisionLinks
from torhaus.admin.means import Means
from torhaus.admin.waiting import Waiting, ring
from torhaus.audit.acts import HOUSE, Act, Came, Who, act_record, user
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.approval import Approval, State, Wanted
from torhaus.model.desk import Desk
from torhaus.model.ports import StateError
from torhaus.policy.approvers import administrators, may_decide
from torhaus.redact.text import UncheckableError

T = TypeVar("T")

MOST_OPEN = 50
"""Requests one caller can have waiting."""
MOST_GIVEN_UP, HOUR = 100, 3600.0
"""Requests one caller can give up in an hour: approvers were told of each."""
MOST_TOLD = 50


class Requests:
    """The `Approvals` port. Its acts run in tasks of their own, so drives may await them.

    What has begun in the database is finished even when the caller hangs up meanwhile.
    """

    def __init__(self, means: Means, links: DecisionLinks) -> None:
        self.waiting = Waiting()
        self._means = means
        self._links = links
        self._tasks: set[asyncio.Task[Any]] = set()

    # -- the port ------------------------------------------------------------------------------

    async def request(self, wanted: Wanted, now: float) -> Approval:
        return await self._finished(self._request(self._shown(wanted), now))

    def _shown(self, wanted: Wanted) -> Wanted:
        """Without secrets, for the eyes of others; what is agreed to is told by the digest."""
        try:
            clean = self._means.guard.json(wanted.arguments.encode()).decode()
        except UncheckableError as error:
            clean = msgspec.json.encode({"_withheld": str(error)}).decode()
        return msgspec.structs.replace(wanted, arguments=clean)

    async def take(self, id: str, wanted: Wanted, now: float) -> bool:
        return await self._finished(self._take(id, wanted, now))

    async def wait(self, id: str, seconds: float) -> Approval | None:
        waker = self.waiting.begin(id)
        try:
            found = await self._finished(self._get(id))
            if found is None or found.state is not State.PENDING or seconds <= 0:
                return found
            timer = asyncio.get_running_loop().call_later(seconds, ring, waker)
            try:
                await waker
            finally:
                timer.cancel()
            return await self._finished(self._get(id))
        finally:
            self.waiting.end(id, waker)

    async def cancel(self, id: str, now: float) -> None:
        await self._finished(self._cancel(id, now))

    # -- what time brings ----------------------------------------------------------------------

    async def look(self) -> None:
        """Wake those whose request was decided by another process."""
        ids = self.waiting.ids()
        if not ids:
            return
        async with self._means.office.read() as desk:
            found = await desk.approvals.those(ids)
        pending = {each.id for each in found if each.state is State.PENDING}
        for id in ids:
            if id not in pending:
                self.waiting.wake(id)

    async def expire(self, now: float) -> int:
        """End what was not decided or not used in time; returns how many there were."""
        async with self._means.office.read() as desk:
            if not await desk.approvals.overdue(now, 1):
                return 0
        ended = 0
        async with self._means.office.write() as desk:
            for approval in await desk.approvals.overdue(now, 200):
                ended += await self._expire(desk, approval, now)
        for id in self.waiting.ids():
            self.waiting.wake(id)
        return ended

    # -- in a transaction ----------------------------------------------------------------------

    async def _request(self, wanted: Wanted, now: float) -> Approval:
        approval = Approval(
            id=self._means.ids(),
            state=State.PENDING,
            wanted=wanted,
            created=now,
            expires=now + self._means.rules().approvals.expires,
        )
        who = self._requester(wanted, now)
        async with self._means.office.write() as desk:
            found = await desk.approvals.open(wanted)
            if found is not None and found.expires <= now:
                await self._expire(desk, found, now)
                found = None
            if found is None:
                found = await desk.approvals.denied(wanted, now)
            if found is not None:
                return found
            if await desk.approvals.waiting(wanted.requester, now) >= MOST_OPEN:
                raise StateError(f"{MOST_OPEN} of your requests for approval are waiting already")
            if await desk.approvals.given_up(wanted.requester, now - HOUR) >= MOST_GIVEN_UP:
                text = f"{MOST_GIVEN_UP} of your requests for approval were given up in an hour"
                raise StateError(f"{text}: wait until others have decided, or ask again later")
            if not await desk.approvals.add(approval):
                found = await desk.approvals.open(wanted)
                if found is None:
                    raise StateError("the request for approval could not be kept: try again")
                return found
            act = approval_act(approval, "approval.requested", after={"state": "pending"})
            await self._note(act, who, now, wanted.policy, wanted.reason)
        self._means.announce(self._news(approval, now))
        return approval

    async def _take(self, id: str, wanted: Wanted, now: float) -> bool:
        who = self._requester(wanted, now)
        async with self._means.office.write() as desk:
            approval = await desk.approvals.get(id)
            if approval is None or approval.state is not State.APPROVED:
                return False
            why = self._lost_right(approval, now)
            if why is not None:
                if await desk.approvals.move(id, State.APPROVED, State.CANCELLED):
                    act = moved(approval, State.CANCELLED)
                    await self._note(act, HOUSE, now, "approver", why)
                return False
            if not await desk.approvals.take(id, wanted, now):
                return False
            act = moved(approval, State.USED)
            await self._note(act, who, now, wanted.policy, "approved, and used now")
        return True

    def _lost_right(self, approval: Approval, now: float) -> str | None:
        """Why whoever approved it could not do so now."""
        rules = self._means.rules()
        approver = rules.principals.get(approval.decided_by or "")
        if approver is None:
            return "whoever approved it is not in the configuration any more"
        return may_decide(approver, approval, rules, now)

    async def _cancel(self, id: str, now: float) -> None:
        async with self._means.office.write() as desk:
            approval = await desk.approvals.get(id)
            if approval is None or approval.state not in (State.PENDING, State.APPROVED):
                return
            if await desk.approvals.move(id, approval.state, State.CANCELLED):
                who = self._requester(approval.wanted, now)
                act = moved(approval, State.CANCELLED)
                await self._note(act, who, now, "own request", "the caller gave it up")
        self.waiting.wake(id)

    async def _expire(self, desk: Desk, approval: Approval, now: float) -> bool:
        if not await desk.approvals.move(approval.id, approval.state, State.EXPIRED):
            return False
        act = moved(approval, State.EXPIRED)
        await self._note(act, HOUSE, now, approval.wanted.policy, "its time is over")
        return True

    async def _get(self, id: str) -> Approval | None:
        async with self._means.office.read() as desk:
            return await desk.approvals.get(id)

    # -- records and news ----------------------------------------------------------------------

    def _requester(self, wanted: Wanted, now: float) -> Came:
        known = self._means.rules().principals.get(wanted.requester)
        roles = () if known is None else known.roles(now)
        return Came(user(wanted.email, roles, ""), wanted.shown)

    async def _note(self, act: Act, who: Who, now: float, rule: str, reason: str) -> None:
        id = self._means.ids()
        await self._means.note(act_record(act, who, id=id, at=now, rule=rule, reason=reason))

    def _news(self, approval: Approval, now: float) -> Announcement:
        wanted = approval.wanted
        return Announcement(
            kind=Kind.APPROVAL_REQUESTED,
            text=(
                f"{wanted.email} asks for approval of {wanted.server}.{wanted.tool} "
                f"({wanted.policy})."
            ),
            at=now,
            to=self._deciders(wanted, now),
            facts={
                "approval": approval.id,
                "server": wanted.server,
                "tool": wanted.tool,
                "requester": wanted.email,
                "policy": wanted.policy,
            },
            link=self._links.url(approval),
        )

    def _deciders(self, wanted: Wanted, now: float) -> tuple[str, ...]:
        named = {name for names in wanted.approvers for name in names}
        if named:
            return tuple(sorted(named))
        rules = self._means.rules()
        found = administrators(rules, wanted.server, now)
        asker = wanted.email.casefold()
        return tuple(each for each in found if each.casefold() != asker)[:MOST_TOLD]

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return await asyncio.shield(task)

    async def close(self) -> None:
        """Let what has begun come to its end."""
        await asyncio.gather(*self._tasks, return_exceptions=True)
