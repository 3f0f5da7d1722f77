"""Who there is and what they hold, for those who may see it."""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from itertools import islice

import msgspec

from torhaus.admin.people.owners import of_file
from torhaus.admin.standing import standing
from torhaus.config.places import NOWHERE, Places
from torhaus.model.credentials import CredentialKind, Family, Kept
from torhaus.model.desk import Office
from torhaus.model.people import Principal
from torhaus.model.person import FILE, Person, PersonKind, PersonState
from torhaus.model.rules import Rules
from torhaus.model.standing import Standing
from torhaus.model.stops import Stop, StopKind
from torhaus.policy.approvers import administers
from torhaus.policy.house import may

MOST_STOPS = 200


class Listed(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody, with the roles and groups he has now. `keys`: of the file.

    `programs`: service accounts he answers for. `orphaned`: a service account that nobody who is
    here answers for.
    """

    person: Person
    roles: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    keys: int = 0
    programs: tuple[str, ...] = ()
    orphaned: bool = False


class Everybody:
    """People of the file and of the database as one list. Pure."""

    def __init__(self, rows: Iterable[Person], rules: Rules) -> None:
        self._rows = {each.email: each for each in rows}
        self._rules = rules
        self._keys = Counter(each.email for each in rules.keys.values())
        self.emails = {*self._rows, *(each for each in rules.principals if "@" in each)}
        programs = {
            each.email: each.responsible
            for each in self._rows.values()
            if each.kind is PersonKind.SERVICE
        }
        files = {email: who for email, who in rules.filed.items() if who is not None}
        self.answerers: Mapping[str, str] = {**programs, **files}
        self._programs: dict[str, list[str]] = {}
        for email, responsible in sorted(self.answerers.items()):
            row = self._rows.get(email)
            if row is None or row.state is not PersonState.GONE:
                self._programs.setdefault(responsible, []).append(email)

    def listed(self, email: str, now: float) -> Listed:
        rules, row = self._rules, self._rows.get(email)
        known, responsible = rules.principals.get(email), self.answerers.get(email)
        person = Person(email=email, owner=FILE) if row is None else row
        if of_file(rules, email, row):
            # The file goes before what the database has of him, but for whether he is here.
            person = msgspec.structs.replace(
                person,
                owner=FILE,
                kind=PersonKind.USER if responsible is None else PersonKind.SERVICE,
                responsible=responsible or "",
                roles=(),
                servers=(),
                expires=None if known is None else known.expires,
            )
        return Listed(
            person=person,
            roles=() if known is None else known.roles(now),
            groups=() if known is None else known.groups,
            keys=self._keys[email],
            programs=tuple(self._programs.get(email, ())),
            orphaned=responsible is not None and responsible not in rules.principals,
        )


class PeopleBooks:
    """Questions; each raises StateError. `rules`: those in force; `clock`: Unix seconds.

    `places`: where the file has its rules.
    """

    def __init__(
        self,
        office: Office,
        rules: Callable[[], Rules],
        clock: Callable[[], float],
        places: Callable[[], Places] = lambda: NOWHERE,
    ) -> None:
        self.places = places
        self._office = office
        self._rules = rules
        self._clock = clock

    def sees(self, actor: Principal, email: str, kind: str = "people") -> bool:
        """Whether somebody may see what is written here about an address."""
        return email == actor.email or may(actor, kind, self._clock()) is None

    async def standing(self, actor: Principal, email: str, key: str, now: float) -> Standing | None:
        """What is known of somebody, or of a key's owner; None where the actor may not see it."""
        async with self._office.read() as desk:
            found = await standing(desk, email, key, now)
        return found if found.email and self.sees(actor, found.email) else None

    async def people(
        self, actor: Principal, state: PersonState | None, after: str, most: int
    ) -> list[Listed]:
        """Those the actor may see, by address: the next ones after one of them."""
        seen = await self._everybody()
        shown = (
            seen.listed(email, self._clock())
            for email in sorted(seen.emails)
            if email > after and self._shown(actor, seen, email)
        )
        found = (each for each in shown if state is None or each.person.state is state)
        return list(islice(found, most))

    async def person(self, actor: Principal, email: str) -> Listed | None:
        seen = await self._everybody()
        if email not in seen.emails or not self._shown(actor, seen, email):
            return None
        return seen.listed(email, self._clock())

    def _shown(self, actor: Principal, seen: Everybody, email: str) -> bool:
        """Whoever answers for a service account sees it."""
        return seen.answerers.get(email) == actor.email or self.sees(actor, email)

    async def _everybody(self) -> Everybody:
        async with self._office.read() as desk:
            rows = await desk.persons.every()
        return Everybody(rows, self._rules())

    async def keys(self, actor: Principal, email: str, most: int) -> list[Kept]:
        """Keys of one person, or of everybody: the newest first."""
        if not self.sees(actor, email, "keys"):
            return []
        async with self._office.read() as desk:
            if not email:
                return await desk.credentials.newest(CredentialKind.KEY, most)
            found = await desk.credentials.of(email)
        return [each for each in found if each.credential.kind is CredentialKind.KEY][:most]

    async def families(self, actor: Principal, email: str, most: int) -> list[Family]:
        """What is open of one person: the newest first."""
        if not self.sees(actor, email, "keys"):
            return []
        async with self._office.read() as desk:
            found = await desk.families.of(email)
        now = self._clock()
        return [each for each in found if each.ended is None and each.expires > now][:most]

    async def stops(self, actor: Principal) -> list[Stop]:
        """Those the actor could lift, the newest first; also what is over."""
        now = self._clock()
        async with self._office.read() as desk:
            found = await desk.stops.newest(MOST_STOPS)
        if may(actor, "stops", now) is None:
            return found
        return [
            each
            for each in found
            if each.kind in (StopKind.SERVER, StopKind.TOOL)
            and administers(actor, each.target.partition("/")[0], now)
        ]
