"""Who called what in which month, and what the cache saved: counted here, kept in the database."""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from zoneinfo import ZoneInfo

import structlog

from torhaus.limits.charges import CHARGED
from torhaus.limits.months import month
from torhaus.limits.spending import sent_and_saved, share, spent
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.call import Call
from torhaus.model.cost import SpendingCap
from torhaus.model.desk import Office
from torhaus.model.names import normal
from torhaus.model.outcome import Outcome
from torhaus.model.ports import StateError
from torhaus.model.rules import Rules
from torhaus.model.usage import Use, Used
from torhaus.watch.labels import OTHER, Known, Labels

log = structlog.get_logger()

EVERY = 5.0
"""Seconds between two writings. A crash loses no more; the audit log has every call."""
LATELY = 900.0
"""Seconds for which a caller counts as one of those who call now."""
MOST = 50_000
"""Different (user, tool) pairs held while the database does not answer."""

Key = tuple[str, str, str, tuple[str, ...]]
"""Server, tool, e-mail address, roles."""


class Usage:
    """Owned by one event loop. `announce` tells people of budgets, once over all processes.

    `known`: the tools of a server. What else callers put for a tool's name is counted as `other`,
    or under the name that has a price.
    """

    def __init__(
        self,
        office: Office,
        rules: Callable[[], Rules],
        clock: Callable[[], float],
        announce: Callable[[Announcement], None],
        known: Known,
    ) -> None:
        self._office = office
        self._rules = rules
        self._clock = clock
        self._announce = announce
        self._known = known
        self._labels: dict[str, Labels] = {}
        self._counted: dict[Key, list[int]] = {}  # of this month
        self._gathered: dict[Use, list[int]] = {}  # to be written
        self._writing: set[asyncio.Task[None]] = set()
        self._told: set[str] = set()
        self._month = ""
        self._until = 0.0
        self._well = True
        self._seen: dict[str, float] = {}

    def ended(self, call: Call, outcome: Outcome) -> None:
        """Count one finished call."""
        if call.method not in CHARGED:
            return
        calls, saved = sent_and_saved(outcome)
        if not calls and not saved:
            return
        now = self._clock()
        if now >= self._until:
            self._turn(now)
        caller = call.caller
        # Strings that know their hashes: putting them together waits until they are written.
        key = (call.server.name, call.operation, caller.email, caller.roles(now))
        counts = self._counted.get(key)
        if counts is None:
            key = (key[0], self._name(call), *key[2:])
            if key not in self._counted and len(self._counted) >= MOST:
                return
            counts = self._counted.setdefault(key, [0, 0])
        counts[0] += calls
        counts[1] += saved

    def _name(self, call: Call) -> str:
        server, costs = call.server.name, self._rules().costs
        name = self._labels.setdefault(server, Labels()).of(call, self._known)
        if name is OTHER and (server, normal(call.operation)) in costs.tools:
            return normal(call.operation)
        return name

    def _turn(self, now: float) -> None:
        """Another month begins: what was counted belongs to the one before."""
        self._gather()
        self._month, self._until = month(now, ZoneInfo(self._rules().timezone))

    def _gather(self) -> None:
        now = self._clock()
        for (server, tool, email, roles), counts in self._counted.items():
            self._seen.pop(email, None)  # the latest stand at the end
            self._seen[email] = now
            use = Use(self._month, server, tool, email, ",".join(roles))
            held = self._gathered.setdefault(use, [0, 0])
            held[0] += counts[0]
            held[1] += counts[1]
        self._counted = {}

    async def run(self) -> None:
        """Write every few seconds, until cancelled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                await self.write()
                await self.warn()
            except StateError as error:
                if self._well:
                    log.warning("usage.not_kept", reason=str(error))
                self._well = False
            except Exception:  # the last line: a bug must not end the counting
                log.exception("usage.failed")
            else:
                self._well = True

    async def write(self) -> None:
        """Move what was counted into the database. Raises StateError, and loses nothing then."""
        self._gather()
        taken, self._gathered = self._gathered, {}
        if not taken:
            return
        # Cancelled halfway, nobody could say whether it was kept: it is always brought to its end.
        writing = asyncio.get_running_loop().create_task(self._keep(taken))
        self._writing.add(writing)
        writing.add_done_callback(self._writing.discard)
        await asyncio.shield(writing)

    async def _keep(self, taken: dict[Use, list[int]]) -> None:
        try:
            async with self._office.write() as desk:
                await desk.usage.add(
                    [Used(use, calls, saved) for use, (calls, saved) in taken.items()]
                )
        except BaseException:
            for use, (calls, saved) in taken.items():
                counts = self._gathered.setdefault(use, [0, 0])
                counts[0] += calls
                counts[1] += saved
            raise

    async def close(self) -> None:
        await asyncio.gather(*self._writing, return_exceptions=True)
        with suppress(StateError):  # it has been logged
            await self.write()

    async def used(self, name: str | None = None) -> list[Used]:
        """What was used in a month such as `2026-11`; None for this one. Raises StateError."""
        await self.write()
        async with self._office.read() as desk:
            return await desk.usage.of(name or self.this_month())

    def lately(self) -> list[str]:
        """Who called in the last quarter of an hour, by e-mail address, the latest first."""
        since = self._clock() - LATELY
        self._seen = {email: at for email, at in self._seen.items() if at >= since}
        return [*reversed(self._seen)]

    def this_month(self) -> str:
        return month(self._clock(), ZoneInfo(self._rules().timezone))[0]

    # -- budgets -------------------------------------------------------------------------------

    async def warn(self) -> None:
        """Tell people, once a month, that a budget is spent so far as they wanted to know."""
        costs = self._rules().costs
        if not costs.caps:
            return
        now = self._clock()
        name = self.this_month()
        async with self._office.read() as desk:
            used = await desk.usage.by_tool(name)
        for whose, cap in costs.caps.items():
            money = spent(used, whose, cap, costs)
            reached = [mark for mark in (cap.alert, Decimal(1)) if share(cap, money) >= mark]
            for mark in sorted(set(reached)):
                first = await self._first(f"budget {name} {whose} {mark}", now)
                if first and mark == max(reached):
                    self._announce(_news(whose, cap, money, now))

    async def _first(self, key: str, now: float) -> bool:
        """Whether nobody has told of it, in any process."""
        if key in self._told:
            return False
        async with self._office.write() as desk:
            first = await desk.access.tell_once(key, now)
        self._told.add(key)
        return first


def _news(whose: str, cap: SpendingCap, money: Decimal, now: float) -> Announcement:
    what = "all servers" if whose == "*" else whose
    return Announcement(
        kind=Kind.BUDGET,
        text=(
            f"{money:.2f} of {cap.amount} {cap.currency} are spent this month on {what} "
            f"({share(cap, money):.0%})."
        ),
        at=now,
        to=(),
        facts={"server": whose, "spent": str(money), "budget": str(cap.amount)},
    )
