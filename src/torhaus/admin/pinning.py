"""Pins between the gate's memory and the database, and news of them to people."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from torhaus.admin.means import Means
from torhaus.admin.turns import Turns
from torhaus.audit.acts import HOUSE, Act, act_record
from torhaus.model.announcement import Announcement, Kind
from torhaus.model.pins import News, Pin, What
from torhaus.model.ports import LedgerError, StateError
from torhaus.policy.approvers import administers
from torhaus.policy.names import shown
from torhaus.policy.pins import typed

log = structlog.get_logger()

EVERY = 1.0
"""Seconds between two rounds."""
LOOK = 2
"""Every so many rounds: see what was decided in other processes."""
OVERLAP = 60.0
"""Seconds by which clocks of several machines may differ."""
MOST_NEWS = 1000
MOST_NAMES = 100


class Memory(Protocol):
    """The pins that the gate decides by."""

    @property
    def unsaved(self) -> Mapping[tuple[str, str], Pin]: ...

    def saved(self, kept: Sequence[Pin]) -> None: ...


class Pinning:
    """Owned by one event loop. `decided` takes over what a pin in the database says."""

    def __init__(self, means: Means, memory: Memory, decided: Callable[[Pin], None]) -> None:
        self._means = means
        self._memory = memory
        self._decided = decided
        self._news: list[News] = []
        self._read = 0.0
        self._turns = Turns(EVERY, failed="catalogue.unsaved", bug="catalogue.round.failed")
        self._turn = asyncio.Lock()
        self._elsewhere = False

    def tell(self, news: News) -> None:
        """Called in the midst of calls: it is logged at once, and told in the next round."""
        names = [pin.name for pin in news.pins]
        if news.what in (What.NEW, What.CHANGED):
            log.warning(news.what.value, server=news.server, tool=names[0], refused=news.refused)
        else:
            log.info(news.what.value, server=news.server, tools=len(names))
        if len(self._news) < MOST_NEWS:
            self._news.append(news)

    async def load(self) -> None:
        """Take over what the database knows, before the first call. Raises StateError."""
        async with self._means.office.read() as desk:
            found = await desk.tools.all()
        for pin in found:
            self._decided(pin)
        self._read = self._means.clock()

    async def run(self) -> None:
        """Until cancelled. The database may fail; it is asked again and again."""
        await self._turns.run(lambda number: self.walk(look=number % LOOK == 0))

    def ask(self) -> None:
        """Look now: another process has decided about tools."""
        self._elsewhere = True
        self._turns.ask()

    async def close(self) -> None:
        """Write what is left, as far as that is possible."""
        try:
            await self.walk(look=False)
        except (StateError, LedgerError) as error:
            log.error("catalogue.unsaved", reason=str(error))

    async def walk(self, *, look: bool) -> None:
        """One round. Raises StateError and LedgerError; what was not done is done in the next."""
        await self.save()
        while self._news:
            await self._pass_on(self._news[0])
            del self._news[0]
        if look or self._elsewhere:
            self._elsewhere = False
            await self._look()

    async def save(self) -> None:
        """Write what the gate has seen. Raises StateError."""
        async with self._turn:
            pins = list(self._memory.unsaved.values())
            if not pins:
                return
            async with self._means.office.write() as desk:
                await desk.tools.keep(pins, self._means.clock())
            self._memory.saved(pins)

    async def _look(self) -> None:
        now = self._means.clock()
        async with self._means.office.read() as desk:
            found = await desk.tools.since(self._read - OVERLAP)
        self._read = now
        for pin in found:
            self._decided(pin)

    async def _pass_on(self, news: News) -> None:
        means = self._means
        facts = {"tools": [pin.name for pin in news.pins[:MOST_NAMES]], "count": len(news.pins)}
        act = Act(operation=news.what.value, server=news.server, facts=_facts(news) or facts)
        reason = _sentence(news)
        await means.note(
            act_record(act, HOUSE, id=means.ids(), at=news.at, rule="catalogue", reason=reason)
        )
        if news.what in (What.NEW, What.CHANGED):
            means.announce(_announcement(news, reason, self._administrators(news)))

    def _administrators(self, news: News) -> tuple[str, ...]:
        people = self._means.rules().principals.values()
        emails = {each.email for each in people if administers(each, news.server, news.at)}
        return tuple(sorted(each for each in emails if "@" in each)[:50])


def _facts(news: News) -> dict[str, str | None] | None:
    if news.what is What.PINNED:
        return None
    pin = news.pins[0]
    return {
        "tool": pin.name,
        "accepted": None if pin.accepted is None else pin.accepted.digest,
        "offered": None if pin.offered is None else pin.offered.digest,
    }


def _sentence(news: News) -> str:
    if news.what is What.PINNED:
        return f"the first list of {news.server} is trusted; what differs later is not"
    pin = news.pins[0]
    has = f"{news.server} has a new tool {shown(pin.name)}"
    if news.what is What.CHANGED:
        has = f"{news.server} has changed its tool {shown(pin.name)}"
    if news.what is What.FOLLOWED:
        return f"{news.server} defines {shown(pin.name)} anew, which its settings accept"
    then = "nobody can call it until it is accepted" if news.refused else "it can be called"
    return f"{has}; {then}. See: torhaus tools diff {typed(pin)}"


def _announcement(news: News, text: str, to: tuple[str, ...]) -> Announcement:
    kind = Kind.TOOL_NEW if news.what is What.NEW else Kind.TOOL_CHANGED
    facts = {name: value for name, value in (_facts(news) or {}).items() if value is not None}
    return Announcement(
        kind=kind,
        text=text,
        at=news.at,
        to=to,
        facts={"server": news.server, "refused": "yes" if news.refused else "no", **facts},
    )
