"""People of the database beside those of the file, which goes before it."""

from collections.abc import Iterable, Mapping

import msgspec

from torhaus.config.membership import gathered
from torhaus.config.people import People, Person
from torhaus.model.person import DATABASE, PersonKind, PersonState, Roster
from torhaus.model.person import Person as Row

AWAY = frozenset((PersonState.SUSPENDED, PersonState.GONE))
"""States in which nobody calls, wherever his roles stand."""


class Everybody(msgspec.Struct, frozen=True):
    """`unknown`: (address, role) of roles that the file does not have; they give nothing."""

    persons: Mapping[str, Person]
    groups: Mapping[str, tuple[str, ...]]
    unknown: tuple[tuple[str, str], ...]


class Merging:
    """Who may call, by the file and the database. `roles`: those that the file has."""

    def __init__(self, people: People, roster: Roster, roles: Iterable[str]) -> None:
        self._people = people
        self._known = frozenset(roles)
        self._given = {each.name: each for each in (*roster.teams, *people.teams)}
        self._rows = {row.email: row for row in roster.persons}
        self._teams: dict[str, dict[str, None]] = {}
        filed = {each.name for each in people.teams}
        for member in roster.members:
            # The file says who is in its groups; providers may put people there as it allows.
            if member.owner != DATABASE or member.team not in filed:
                self._teams.setdefault(member.email, {})[member.team] = None
        self._unknown: dict[tuple[str, str], None] = {}

    def everybody(self) -> Everybody:
        emails = dict.fromkeys((*self._people.persons, *self._rows))
        found = {email: one for email in emails if (one := self.one(email)) is not None}
        groups = {name: dict.fromkeys(members) for name, members in self._people.groups.items()}
        for email, person in found.items():
            for name in person.groups:
                groups.setdefault(name, {})[email] = None
        named = {name: tuple(members) for name, members in groups.items()}
        return Everybody(found, named, tuple(self._unknown))

    def one(self, email: str) -> Person | None:
        """As he is now; None for whoever may not call at all."""
        row, own = self._rows.get(email), self._people.persons.get(email)
        if row is not None and row.state in AWAY:
            return None
        if own is not None:  # the file says what he may do, and for how long
            return own
        if row is None or row.state is not PersonState.ACTIVE:
            return None
        teams = tuple(self._teams.get(email, ()))
        found = (self._given[name] for name in teams if name in self._given)
        roles, limited = gathered(row.roles, ((each.roles, each.servers) for each in found))
        known = self._kept(row, (*roles, *limited))
        return Person(
            email=email,
            roles=tuple(each for each in known if each not in limited),
            limited={each: limited[each] for each in known if each in limited},
            # A name that is a role's too must not make its members approvers in that role's place.
            groups=tuple(each for each in teams if each not in self._known),
            servers=row.servers,
            expires=row.expires,
            responsible=row.responsible if row.kind is PersonKind.SERVICE else None,
        )

    def _kept(self, row: Row, roles: Iterable[str]) -> tuple[str, ...]:
        found = dict.fromkeys(roles)
        for role in found:
            if role not in self._known:
                self._unknown[row.email, role] = None
        return tuple(role for role in found if role in self._known)
