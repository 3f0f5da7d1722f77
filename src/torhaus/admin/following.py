"""Keeps the live index in step with the database, which other processes change too."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Protocol

import structlog

from torhaus.admin.live import LiveIndex
from torhaus.admin.turns import Turns
from torhaus.config.places import Places
from torhaus.model.credentials import Kept
from torhaus.model.desk import Desk, Office
from torhaus.model.grant import Grant
from torhaus.model.person import Moved, Person, Roster
from torhaus.model.stops import Stop

log = structlog.get_logger()

EVERY, REST = 0.5, 0.01
"""Seconds between two looks at what others have changed, and those after each look at least."""
BELIEVED = 5.0
"""Seconds for which what is known is believed without a word from a shared database."""
TRIES = 3
"""Looks at most, one right after the other, where acts of this process come in between."""
SWEEP, USED = 120, 60
"""Every so many looks: let go of what is over; say when credentials were used."""
CREDENTIALS, PEOPLE, STOPS = "credentials", "people", "stops"


class Force(Protocol):
    """Where what the database gives is put in force. `places`: where the file has its rules."""

    @property
    def places(self) -> Places: ...
    async def regrant(self, grants: tuple[Grant, ...]) -> None: ...
    async def repeople(self, roster: Roster) -> None: ...
    def amend(self, persons: Sequence[Person], moved: Moved | None = None) -> None:
        """These people, and this of teams, have changed; that is in force when this returns.

        Teams of very many follow in a moment.
        """
        ...

    def restop(self, stops: tuple[Stop, ...]) -> None:
        """These stops are in force, and no others, when this returns."""
        ...


class Following:
    """Owned by one event loop. `clock`: Unix seconds. `shared`: others use the database too.

    `people`: called when persons or teams are others than before. `stops`: when stops are.
    """

    def __init__(
        self,
        office: Office,
        index: LiveIndex,
        clock: Callable[[], float],
        *,
        shared: bool,
        people: Callable[[Roster], Awaitable[None]],
        stops: Callable[[], None],
    ) -> None:
        self._office = office
        self._index = index
        self._clock = clock
        self._shared = shared
        self._people = people
        self._stops = stops
        self._seen: dict[str, int] = {}
        self._used = 0.0
        self._one = asyncio.Lock()  # of two looks the older one could be taken over last
        self._turns = Turns(EVERY, failed="state.failed", bug="live.look.failed", rest=REST)

    async def load(self) -> Roster:
        """All there is, before anybody calls; returns the people. Raises StateError."""
        now = self._clock()
        async with self._office.read() as desk:
            self._seen = dict(await desk.revisions.every())
            live = await desk.credentials.live(now)
            stops = await desk.stops.in_force(now)
            roster = await _roster(desk)
        self._index.load(live, roster.persons)
        self._index.stop(stops)
        self._heard(now)
        return roster

    def ask(self) -> None:
        """Look now: something has changed."""
        self._turns.ask()

    async def run(self) -> None:
        """Until cancelled. The database may fail; it is asked again and again."""
        await self._turns.run(self._turn)

    async def _turn(self, number: int) -> None:
        await self.look()
        if number % SWEEP == 0:
            self._index.sweep(self._clock())
        if number % USED == 0:
            await self.tell()

    async def look(self) -> None:
        """See what is new. Raises StateError."""
        async with self._one:
            if not await self._look():
                self.ask()

    async def catch_up(self) -> None:
        """What others have changed until now is in force when this returns. Raises StateError."""
        async with self._one:
            for _ in range(TRIES):
                if await self._look():
                    return
        self.ask()

    async def _look(self) -> bool:
        """False: what was read may be older than what was done meanwhile, and was let go of."""
        turn, now = self._index.turn, self._clock()
        async with self._office.read() as desk:
            numbers = await desk.revisions.every()
            moved = [name for name, number in numbers.items() if self._seen.get(name) != number]
            found = await _news(desk, self._seen.get(CREDENTIALS, 0), moved, now)
        self._heard(now)
        if not moved:
            return True
        if self._index.turn != turn:
            return False
        kept, roster, stops = found
        if kept:
            self._index.changed(kept)
        if stops is not None:
            self._index.stop(stops)
            self._stops()
        if roster is not None:
            self._index.told({each.email: each for each in roster.persons})
        self._seen = dict(numbers)
        if roster is not None:
            await self._people(roster)
        return True

    async def tell(self) -> None:
        """Keep when credentials were shown last. Raises StateError."""
        used, now = self._index.used(self._used), self._clock()
        if used:
            async with self._office.write() as desk:
                await desk.credentials.use(used)
        self._used = now

    def _heard(self, now: float) -> None:
        self._index.until = now + BELIEVED if self._shared else inf


News = tuple[list[Kept], Roster | None, list[Stop] | None]


async def _news(desk: Desk, since: int, moved: list[str], now: float) -> News:
    kept = await desk.credentials.since(since) if CREDENTIALS in moved else []
    roster = await _roster(desk) if PEOPLE in moved else None
    stops = await desk.stops.in_force(now) if STOPS in moved else None
    return kept, roster, stops


async def _roster(desk: Desk) -> Roster:
    return Roster(
        persons=tuple(await desk.persons.every()),
        teams=tuple(await desk.teams.every()),
        members=tuple(await desk.teams.members()),
    )
