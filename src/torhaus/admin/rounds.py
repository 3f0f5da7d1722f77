"""What time and other processes bring: expiry, decisions made elsewhere, grants, notices."""

import asyncio
from collections.abc import Awaitable, Callable

import msgspec
import structlog

from torhaus.admin.facts import request_act
from torhaus.admin.means import Means
from torhaus.admin.notices import due
from torhaus.admin.requests import Requests
from torhaus.audit.acts import HOUSE, act_record
from torhaus.model.grant import AccessRequest, Asked, Grant
from torhaus.model.ports import LedgerError, StateError

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two rounds."""
LOOK, SWEEP, NOTICES = 2, 5, 30
"""Every so many rounds: see who was decided about elsewhere; end what is overdue; tell people."""

Grants = tuple[Grant, ...]


class Rounds:
    """`changed` is called with the grants in force whenever they are others than before."""

    def __init__(
        self, means: Means, requests: Requests, changed: Callable[[Grants], Awaitable[None]]
    ) -> None:
        self.grants: Grants = ()
        self._means = means
        self._requests = requests
        self._changed = changed
        self._asked = asyncio.Event()
        self._well = True
        self._stale = False

    def ask(self) -> None:
        """Look at the grants now: some have changed."""
        self._asked.set()

    def forget(self) -> None:
        """Others than these may be in force: put these in force again."""
        self._stale = True
        self.ask()

    async def run(self) -> None:
        """Until cancelled. The database may fail; it is asked again and again."""
        number = 0
        while True:
            try:
                await asyncio.wait_for(self._asked.wait(), EVERY)
            except TimeoutError:
                number += 1
            self._asked.clear()
            try:
                await self.walk(number)
            except (StateError, LedgerError) as error:
                if self._well:
                    log.error("state.failed", reason=str(error))
                self._well = False
            except Exception:  # the last line: a bug must not end the rounds
                log.exception("state.round.failed")
            else:
                self._well = True

    async def walk(self, number: int) -> None:
        """One round. Raises StateError and LedgerError."""
        now = self._means.clock()
        await self.look_at_grants(now)
        if number % LOOK == 0:
            await self._requests.look()
        if number % SWEEP == 0:
            await self._requests.expire(now)
            await self._expire(now)
        if number % NOTICES == 0:
            await self.tell(now)

    async def look_at_grants(self, now: float) -> None:
        """A grant that ended by itself is no change: the rules know its end."""
        async with self._means.office.read() as desk:
            found = tuple(await desk.access.in_force(now))
        known = tuple(each for each in self.grants if each.ends > now)
        if self._stale or found != known:
            self._stale = False
            await self._changed(found)
        self.grants = found

    async def tell(self, now: float) -> int:
        """Tell people of access that ends soon, once over all processes; returns how many."""
        told = 0
        for key, announcement in due(self._means.rules(), now):
            async with self._means.office.write() as desk:
                first = await desk.access.tell_once(key, now)
            if first:
                told += 1
                self._means.announce(announcement)
        return told

    async def _expire(self, now: float) -> None:
        async with self._means.office.read() as desk:
            if not await desk.access.overdue(now, 1):
                return
        async with self._means.office.write() as desk:
            for request in await desk.access.overdue(now, 200):
                ended = msgspec.structs.replace(request, state=Asked.EXPIRED)
                if await desk.access.decide_request(ended):
                    await self._note(ended, now)

    async def _note(self, request: AccessRequest, now: float) -> None:
        act = request_act(
            request,
            "access.expired",
            before={"state": Asked.PENDING.value},
            after={"state": request.state.value},
        )
        reason = "nobody decided it in time"
        id = self._means.ids()
        await self._means.note(act_record(act, HOUSE, id=id, at=now, rule="time", reason=reason))
