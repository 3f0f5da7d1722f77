"""A link that stops asking a server which does not work, and says how it is doing."""

import asyncio
import random
import time
from collections.abc import Callable, Coroutine
from datetime import UTC, datetime
from typing import Any

import structlog

from torhaus.model.health import Condition, Health, Upkeep
from torhaus.model.outcome import Answer
from torhaus.model.ports import Ask, Sink, UpstreamError
from torhaus.model.session import Session
from torhaus.upstream.breaker import Breaker
from torhaus.upstream.checks import ALL, Checked
from torhaus.upstream.chores import Chores
from torhaus.upstream.faults import DeniedError, FaultError, cause
from torhaus.upstream.latencies import Latencies

log = structlog.get_logger()

MOST = 1024
"""Callers whose own failures are remembered, where each has a way of his own to the server."""
LONG = 300
"""Characters of an error that are kept."""
_SILENT = frozenset(
    ("initialize", "server/discover", "ping", "logging/setLevel", "subscriptions/listen")
)
"""Methods whose answer may come from the gateway itself, or hours later: it proves nothing."""


class BreakerLink:
    """Wraps a link. Owned by one event loop.

    `apart`: every principal has a process or connection of his own, so nobody's failures count
    against others. `clock`: monotonic; `wall`: Unix seconds; `draw`: chance, from 0 to 1.
    """

    def __init__(
        self,
        name: str,
        link: Checked,
        upkeep: Upkeep,
        *,
        apart: bool = False,
        clock: Callable[[], float] = time.monotonic,
        draw: Callable[[], float] = random.random,  # noqa: S311 -- jitter, no secret
    ) -> None:
        self._name = name
        self._link = link
        self._apart = apart
        self._clock = clock
        self._draw = draw
        self._breakers: dict[str, Breaker] = {}
        self._open = 0
        self._passed = float("-inf")
        self._well_since: float | None = None
        self._last: tuple[str, float] | None = None
        self._latencies = Latencies()
        self._timer: asyncio.TimerHandle | None = None
        self._chores = Chores()
        self._quiet = False
        self._opened = self._checks = self._failed_checks = 0
        self.upkeep = upkeep
        self._plan()

    @property
    def inner(self) -> Checked:
        return self._link

    def renew(self, upkeep: Upkeep) -> None:
        """Look after it in another way from now on."""
        if upkeep != self.upkeep:
            self.upkeep = upkeep
            self._plan()

    # -- calls ---------------------------------------------------------------------------------

    def request(self, ask: Ask, sink: Sink) -> Coroutine[Any, Any, Answer]:
        if self._open:
            return self._tried(ask, sink)
        return self._watched(ask, sink)

    async def _watched(self, ask: Ask, sink: Sink) -> Answer:
        began = self._clock()
        try:
            answer = await self._link.request(ask, sink)
        except UpstreamError as error:
            if ask.method != "subscriptions/listen":
                self._failed(ask.principal, began, error)
            raise
        if ask.method not in _SILENT:
            self._passed = now = self._clock()
            self._latencies.note(began, now)
            if self._breakers:
                self._answered(ask.principal, began, now)
        return answer

    async def _tried(self, ask: Ask, sink: Sink) -> Answer:
        """While it is down: refused, unless it is time to try again."""
        breaker = self._breakers.get(self._key(ask.principal))
        if breaker is None or breaker.opened is None:
            return await self._watched(ask, sink)
        now = self._clock()
        if ask.method == "subscriptions/listen" or not breaker.admits(now):
            raise UpstreamError(self._sentence(breaker, now))
        trial = breaker.times
        try:
            return await self._watched(ask, sink)
        finally:
            # Neither answered nor failed: hung up, or an end that says nothing of the server.
            if breaker.abandoned(trial):
                self._plan()

    async def post(self, session: Session | None, principal: str, body: bytes) -> None:
        self._refuse(principal)
        await self._link.post(session, principal, body)

    async def listen(self, session: Session, last_event_id: str | None, sink: Sink) -> None:
        self._refuse(session.principal)
        await self._link.listen(session, last_event_id, sink)

    async def close(self, session: Session) -> None:
        await self._link.close(session)

    def _refuse(self, principal: str) -> None:
        """Raises UpstreamError while it is down for this caller."""
        breaker = self._breakers.get(self._key(principal)) if self._open else None
        if breaker is not None and breaker.opened is not None:
            raise UpstreamError(self._sentence(breaker, self._clock()))

    def _key(self, principal: str) -> str:
        return principal if self._apart else ALL

    def _sentence(self, breaker: Breaker, now: float) -> str:
        since = f"{datetime.fromtimestamp(self._wall(breaker.since), UTC):%H:%M:%S} UTC"
        if breaker.trying:
            then = "it is being tried again right now"
        else:
            then = f"the next try is in {max(0.1, breaker.due - now):.1f} s"
        what = "is not usable" if breaker.denied else "is down"
        return f"it {what} since {since}: {breaker.error}; {then}"

    # -- what they say of it ---------------------------------------------------------------------

    def _failed(self, principal: str, began: float, error: UpstreamError) -> None:
        found = cause(error)
        if found is None:
            return
        now = self._clock()
        text = str(error)
        text = text if len(text) <= LONG else text[:LONG] + "…"
        self._last = (text, now)
        key = self._key(principal)
        breaker = self._breakers.get(key)
        if breaker is not None and breaker.opened is not None:
            if began < breaker.opened:
                return  # it ends late; that it is down is known
        elif not self._apart and began < self._passed:
            return  # others were answered meanwhile: it is about this call alone
        if breaker is None or (breaker.parole and self._served(breaker, now)):
            breaker = self._breaker(key, now)
        breaker.noted(text, now, denied=isinstance(found, DeniedError))
        if isinstance(found, FaultError) or found.outright:
            self._count(key, breaker, now)

    def _served(self, breaker: Breaker, now: float) -> bool:
        """Whether what went wrong once is too long ago to matter."""
        return now - breaker.error_at > self.upkeep.longest

    def _breaker(self, key: str, now: float) -> Breaker:
        if len(self._breakers) >= MOST and key not in self._breakers:
            forgotten = self._breakers.pop(next(iter(self._breakers)))
            self._open -= forgotten.opened is not None
        breaker = self._breakers[key] = Breaker(since=now)
        return breaker

    def _count(self, key: str, breaker: Breaker, now: float) -> None:
        if breaker.failed(now, self.upkeep, self._draw()):
            self._open += 1
            self._opened += 1
            if not self._quiet:
                log.warning("upstream.down", server=self._name, error=breaker.error, **_of(key))
        if breaker.opened is not None and key == ALL:
            self._plan()

    def _answered(self, principal: str, began: float, now: float) -> None:
        key = self._key(principal)
        breaker = self._breakers.get(key)
        if breaker is None or (breaker.opened is not None and began < breaker.opened):
            return  # an answer from before it went down
        del self._breakers[key]
        self._well_since = self._wall(now)
        if breaker.opened is not None:
            self._back(key, breaker, now)

    def _back(self, key: str, breaker: Breaker, now: float) -> None:
        self._open -= 1
        if not self._quiet:
            after = round(now - breaker.since, 3)
            log.info("upstream.back", server=self._name, seconds=after, **_of(key))
        if key == ALL:
            self._plan()

    # -- checks ----------------------------------------------------------------------------------

    def _plan(self) -> None:
        """When it is looked at next."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._quiet:
            return
        breaker = self._breakers.get(ALL)
        if breaker is not None and breaker.opened is not None:
            if not self.upkeep.probe or breaker.trying or breaker.by_call:
                return
            wait = max(0.001, breaker.due - self._clock())
        elif self.upkeep.interval > 0:
            wait = self.upkeep.interval * (0.9 + self._draw() / 5)
        else:
            return
        self._timer = asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        self._timer = None
        breaker = self._breakers.get(ALL)
        if breaker is not None and breaker.opened is not None and not breaker.admits(self._clock()):
            self._plan()  # a call tries it, or timers are less exact than clocks
            return
        self._chores.start(self._check())

    async def _check(self) -> None:
        began, seconds = self._clock(), self.upkeep.timeout
        try:
            async with asyncio.timeout(seconds):
                found = await self._link.check(seconds)
        except TimeoutError:
            found = {ALL: FaultError(f"it did not answer a check within {seconds:g} s")}
        except UpstreamError as error:
            found = {ALL: error}
        self._checks += bool(found)
        self._failed_checks += any(found.values())
        for key, failed in found.items():
            self._checked(key, began, failed)
        breaker = self._breakers.get(ALL)
        if breaker is not None and breaker.opened is not None and breaker.trying:
            breaker.undecided(self._clock(), self.upkeep, self._draw())
        self._plan()

    def _checked(self, key: str, began: float, error: UpstreamError | None) -> None:
        if error is not None:
            self._failed(key, began, error)
            return
        now = self._clock()
        breaker = self._breakers.get(key)
        if not self._apart:
            self._passed = now
        if breaker is None:
            return
        if breaker.opened is not None:
            breaker.on_parole(self.upkeep)
            self._back(key, breaker, now)
        elif not breaker.times or self._served(breaker, now):
            del self._breakers[key]

    # -- for people ------------------------------------------------------------------------------

    def state(self) -> str:
        found = self.health()
        troubled = found.state in (Condition.FAILING, Condition.DOWN, Condition.REFUSED)
        return f"{found.state}: {found.error}" if troubled else found.state

    def health(self) -> Health:
        """Any thread may ask."""
        now = self._clock()
        p95 = self._latencies.p95(now)
        ill = [each for each in list(self._breakers.values()) if not each.parole]
        worst = max(ill, key=_badness, default=None)
        error, at = (None, None) if self._last is None else self._last
        shut = worst is not None and worst.opened is not None
        return Health(
            state=self._condition(worst, p95),
            since=self._well_since if worst is None else self._wall(worst.since),
            error=error,
            error_at=None if at is None else self._wall(at),
            next_try=self._wall(worst.due) if worst is not None and shut else None,
            p95=p95,
            failures=0 if worst is None else worst.failures,
            opened=self._opened,
            checks=self._checks,
            failed_checks=self._failed_checks,
        )

    def _condition(self, worst: Breaker | None, p95: float | None) -> Condition:
        word = self._link.state().partition(":")[0]
        if worst is not None:
            if worst.denied:
                return Condition.REFUSED
            # Where everybody has a process of his own, it may work for others.
            all_down = worst.opened is not None and not (self._apart and word == "ready")
            return Condition.DOWN if all_down else Condition.FAILING
        if 0 < self.upkeep.slow <= (p95 or 0.0):
            return Condition.SLOW
        if word == "starting":
            return Condition.STARTING
        used = word == "ready" or (word == "down" and self._passed > float("-inf"))
        return Condition.READY if used else Condition.IDLE

    def _wall(self, moment: float) -> float:
        return time.time() - self._clock() + moment

    # -- the end ---------------------------------------------------------------------------------

    def retire(self) -> None:
        """Another link has its place: what becomes of it is no news."""
        self._quiet = True
        self._plan()

    async def shutdown(self) -> None:
        self.retire()
        await self._chores.finish(0.0)
        await self._link.shutdown()


def _badness(breaker: Breaker) -> tuple[bool, float]:
    return breaker.opened is not None, breaker.error_at


def _of(key: str) -> dict[str, str]:
    return {} if key == ALL else {"principal": key}
