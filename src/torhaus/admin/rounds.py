"""What time and other processes bring: expiry, decisions made elsewhere, grants, notices."""

from collections.abc import Awaitable, Callable

import msgspec
import structlog

from torhaus.admin.facts import request_act
from torhaus.admin.governing import Ground
from torhaus.admin.means import Means
from torhaus.admin.notices import due
from torhaus.admin.requests import Requests
from torhaus.admin.turns import Turns
from torhaus.audit.acts import HOUSE, act_record
from torhaus.model.grant import AccessRequest, Asked, Grant
from torhaus.model.rules import Rules

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two rounds."""
LOOK, SWEEP, NOTICES = 2, 5, 30
"""Every so many rounds: see who was decided about elsewhere; end what is overdue; tell people."""

NAME_ONE = "give somebody a role of the file with permissions: ['*'], and a key"

Grants = tuple[Grant, ...]


class Rounds:
    """`changed` is called with the grants in force whenever they are others than before.

    `overdue`: ends, in each round, what else has had its time.

    `governed`: False once nobody is left who administers everything and can come in: the file, time
    and identity providers take people away without asking.
    """

    def __init__(
        self,
        means: Means,
        requests: Requests,
        changed: Callable[[Grants], Awaitable[None]],
        overdue: Callable[[float], Awaitable[None]] | None = None,
    ) -> None:
        self.grants: Grants = ()
        self._means = means
        self._requests = requests
        self._changed = changed
        self._overdue = overdue
        self._turns = Turns(EVERY, failed="state.failed", bug="state.round.failed")
        self._stale = False
        self._decided = False
        self.governed = True
        self._had = False
        self._judged: Rules | None = None

    def ask(self) -> None:
        """Look at the grants now: some have changed."""
        self._turns.ask()

    def decided(self) -> None:
        """Another process has decided something that somebody here may wait for."""
        self._decided = True
        self.ask()

    def forget(self) -> None:
        """Others than these may be in force: put these in force again."""
        self._stale = True
        self.ask()

    async def run(self) -> None:
        """Until cancelled. The database may fail; it is asked again and again."""
        self.ask()  # who administers is known before anything changes it
        await self._turns.run(self.walk)

    async def walk(self, number: int) -> None:
        """One round. Raises StateError and LedgerError."""
        now = self._means.clock()
        await self.look_at_grants(now)
        if self._overdue is not None:
            await self._overdue(now)
        if self._decided or number % LOOK == 0:
            self._decided = False
            await self._requests.look()
        if number % SWEEP == 0:
            await self._requests.expire(now)
            await self._expire(now)
        if number % NOTICES == 0:
            await self.tell(now)
        if number % NOTICES == 0 or self._means.rules() is not self._judged:
            await self.look_who_governs(now)

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

    async def look_who_governs(self, now: float) -> None:
        """Nobody from the beginning is no news: there is a link on the terminal then."""
        rules, local = self._means.rules(), self._means.local()
        async with self._means.office.read() as desk:
            left = await Ground(desk=desk, rules=rules, now=now, local=local).left()
        self._judged, some = rules, left.able > now
        if self._had and self.governed and not some:
            log.error("administrators.none", fix=NAME_ONE)
        self.governed = some or not self._had
        self._had = self._had or some

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
