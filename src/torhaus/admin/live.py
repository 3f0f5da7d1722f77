"""The live index: who and what is let in right now, in this process, without a question."""

import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from math import inf
from typing import Final

import msgspec

from torhaus.admin.acts import Effect
from torhaus.identity.identify import key_id
from torhaus.model.credentials import Credential, Kept
from torhaus.model.desk import Office
from torhaus.model.live import Lease
from torhaus.model.networks import household
from torhaus.model.people import Principal
from torhaus.model.person import Person, PersonState
from torhaus.model.stops import Stop, StopKind
from torhaus.policy.scopes import permissions, scoped

ASKED_AGAIN = 5.0
"""Seconds for which a credential that nobody knows is not asked about again."""
MOST_ASKED = 10_000
MOST_QUESTIONS, MOST_TOGETHER = 20, 500
"""Questions about unknown credentials in one second, of one address and of all.

Strangers cannot keep the database busy, and those of one place cannot keep others waiting.
"""
MOST_ACTING = 20_000

Stops = Mapping[tuple[StopKind, str], Stop]


class _Held(msgspec.Struct, frozen=True):
    """`kept`: in the database, and not in the file."""

    lease: Lease
    email: str
    id: str
    kept: bool


class _Look(msgspec.Struct):
    """At one credential in the database: how many wait for it, and whether it ended meanwhile."""

    waiting: int = 0
    ended: bool = False


class LiveIndex:
    """A `Live`. `ended` is called when leases end: streams and calls of theirs must go.

    `left` is called with the address of somebody who may be here no longer. `behind` is awaited
    where a credential is of somebody who is not known yet. `clock`: Unix seconds. `turn` grows with
    every act of this process: what was read from the database before it is not believed.
    Credentials that are over by themselves stay until `sweep`.
    """

    def __init__(self, office: Office, clock: Callable[[], float] = time.time) -> None:
        self.until = inf
        self.turn = 0
        self.ended: Callable[[], None] = _nothing
        self.left: Callable[[str], None] = _nobody
        self.behind: Callable[[], Awaitable[None]] = _never
        self._office: Final = office
        self._clock: Final = clock
        self._known: dict[bytes, Credential] = {}
        self._leases: dict[bytes, _Held] = {}
        self._persons: dict[str, Person] = {}
        self._stops: Stops = {}
        self.stops: tuple[Stop, ...] = ()
        self._acting: dict[tuple[int, tuple[str, ...]], tuple[Principal, Principal]] = {}
        self._vain: dict[bytes, float] = {}
        self._looks: dict[bytes, _Look] = {}
        self._asked: tuple[int, Counter[str]] = (0, Counter())

    # -- what is asked of it -------------------------------------------------------------------

    def find(self, digest: bytes) -> Credential | None:
        return self._known.get(digest)

    def worth_asking(self, digest: bytes, now: float, ip: str) -> bool:
        second, counts = self._asked
        asked = counts[household(ip)]
        if second == int(now) and (asked >= MOST_QUESTIONS or counts.total() >= MOST_TOGETHER):
            return False
        return self._vain.get(digest, -inf) <= now

    async def look(self, digest: bytes, ip: str) -> Credential | None:
        now = self._clock()
        if self._asked[0] != int(now):
            self._asked = (int(now), Counter())
        self._asked[1][household(ip)] += 1
        look = self._looks.setdefault(digest, _Look())
        look.waiting += 1
        try:
            found = await self._kept(digest, now)
        finally:
            look.waiting -= 1
            if not look.waiting:
                del self._looks[digest]
        known = self.find(digest)
        if known is not None or look.ended:
            return known
        if found is None:
            if len(self._vain) >= MOST_ASKED:
                self._vain.clear()
            self._vain[digest] = now + ASKED_AGAIN
            return None
        self._known[digest] = found
        return found

    async def _kept(self, digest: bytes, now: float) -> Credential | None:
        """As the database has it, where it has not ended; whose it is is known when this returns.

        Whoever signs in for the first time, elsewhere, is as new here as his session.
        """
        async with self._office.read() as desk:
            found = await desk.credentials.get(digest)
        if found is None or found.ended is not None or _over(found.credential, now):
            return None
        if found.credential.email not in self._persons:
            await self.behind()
        return found.credential

    def unwelcome(self, email: str, credential: str, now: float) -> str | None:
        person = self._persons.get(email)
        if person is not None and person.state in _STATES:
            return _STATES[person.state]
        if not self._stops:
            return None
        stop = self.stopped(StopKind.USER, email, now)
        stop = stop or self.stopped(StopKind.KEY, credential, now)
        return None if stop is None else stopped_text(stop)

    def stopped(self, kind: StopKind, target: str, now: float) -> Stop | None:
        stop = self._stops.get((kind, target))
        return stop if stop is not None and stop.holds(now) else None

    def lease(self, digest: bytes, email: str, credential: Credential | None) -> Lease:
        found = self._leases.get(digest)
        if found is not None and not found.lease.ended:
            return found.lease
        expires = None if credential is None else credential.expires
        lease = Lease(inf if expires is None else expires)
        id = key_id(digest) if credential is None else credential.id
        self._leases[digest] = _Held(lease, email, id, credential is not None)
        return lease

    def acting(self, principal: Principal, credential: Credential) -> Principal:
        if not credential.scopes:
            return principal
        key = (id(principal), credential.scopes)
        known = self._acting.get(key)
        if known is not None and known[0] is principal:
            return known[1]
        try:
            held = permissions(credential.scopes)
        except ValueError:
            held = ()  # what cannot be read opens nothing
        found = scoped(principal, held)
        if len(self._acting) >= MOST_ACTING:
            self._acting.clear()
        # It holds the principal, so that its id is not given anew.
        self._acting[key] = (principal, found)
        return found

    # -- what it is told -----------------------------------------------------------------------

    def happened(self, effect: Effect) -> None:
        """An act was kept."""
        self.turn += 1
        for credential in effect.issued:
            self._known[credential.digest] = credential
            self._vain.pop(credential.digest, None)
        if effect.persons:
            self.told({each.email: each for each in effect.persons})
        if effect.stop is not None:
            gone = effect.stop.id
            held = () if effect.stop.lifted_at is not None else (effect.stop,)
            self.stop((*(each for each in self.stops if each.id != gone), *held))
        if effect.ended:
            self.end(effect.ended)

    def told(self, persons: Mapping[str, Person]) -> None:
        """These persons are so now."""
        away = [email for email, now in persons.items() if now.state in _STATES]
        fresh = [email for email in away if self._persons.get(email) != persons[email]]
        self._persons |= persons
        self._look_over()
        for email in fresh:
            self.left(email)

    def load(self, live: Iterable[Credential], persons: Iterable[Person]) -> None:
        """At the start, before anybody calls."""
        self._known = {each.digest: each for each in live}
        self._persons = {each.email: each for each in persons}

    def changed(self, kept: Iterable[Kept]) -> None:
        """Credentials that came or ended, in this process or another."""
        gone = []
        for each in kept:
            credential = each.credential
            if each.ended is not None:
                gone.append(credential.digest)
            else:
                self._known[credential.digest] = credential
                self._vain.pop(credential.digest, None)
        if gone:
            self.end(gone)

    def stop(self, stops: Iterable[Stop]) -> None:
        """These are the stops in force, and no others."""
        self.stops = tuple(stops)
        fresh: dict[tuple[StopKind, str], Stop] = {}
        for each in self.stops:
            before = fresh.get((each.kind, each.target))
            if before is None or _longer(each, before):
                fresh[each.kind, each.target] = each
        self._stops = fresh
        self._look_over()

    @property
    def holds(self) -> bool:
        """Whether it knows any credential of the database."""
        return bool(self._known)

    @property
    def persons(self) -> tuple[Person, ...]:
        return tuple(self._persons.values())

    def person(self, email: str) -> Person | None:
        return self._persons.get(email)

    def end(self, digests: Iterable[bytes]) -> None:
        for digest in digests:
            self._known.pop(digest, None)
            look = self._looks.get(digest)
            if look is not None:
                look.ended = True  # what is being read of it may be older
            held = self._leases.pop(digest, None)
            if held is not None:
                held.lease.end()
        self.ended()

    def _look_over(self) -> None:
        """People or stops are others: end what is held by those who may be here no longer."""
        now = self._clock()
        gone = [
            digest
            for digest, held in self._leases.items()
            if self.unwelcome(held.email, held.id, now) is not None
        ]
        for digest in gone:
            self._leases.pop(digest).lease.end()
        if gone:
            self.ended()

    def sweep(self, now: float) -> None:
        """Let go of what is over by itself, and of principals of rules that are no more."""
        for digest in [digest for digest, each in self._known.items() if _over(each, now)]:
            del self._known[digest]
            self._leases.pop(digest, None)
        self._vain = {digest: until for digest, until in self._vain.items() if until > now}

    def forget(self) -> None:
        """Other rules are in force, with other principals."""
        self._acting.clear()

    def used(self, since: float) -> dict[bytes, float]:
        """Credentials of the database that were shown since then, and when last."""
        return {
            digest: held.lease.used
            for digest, held in self._leases.items()
            if held.kept and held.lease.used > since
        }


_STATES: Mapping[PersonState, str] = {
    PersonState.SUSPENDED: "your access is suspended: ask an administrator",
    PersonState.GONE: "your access has ended: ask an administrator",
}


def stopped_text(stop: Stop) -> str:
    """What somebody is told who is stopped, or calls what is."""
    return f"an administrator has stopped this: {stop.reason}"


def _over(credential: Credential, now: float) -> bool:
    return credential.expires is not None and credential.expires <= now


def _longer(stop: Stop, than: Stop) -> bool:
    return than.expires is not None and (stop.expires is None or stop.expires > than.expires)


def _nothing() -> None:
    """Nobody needs to know yet."""


def _nobody(_email: str) -> None:
    """As above."""


async def _never() -> None:
    """Everybody is known who has anything."""
