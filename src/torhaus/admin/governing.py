"""Whether somebody is left who administers everything and can come in to do so."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from math import inf
from typing import Any

import msgspec

from torhaus.admin.people.owners import of_file
from torhaus.audit.shape import timestamp
from torhaus.identity.identify import key_id
from torhaus.model.credentials import CredentialKind, Kept
from torhaus.model.desk import Desk
from torhaus.model.people import Principal
from torhaus.model.person import Person, PersonKind, PersonState
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop, StopKind
from torhaus.policy.approvers import administers, govern, is_person

LESSENING = frozenset(
    (
        "ChangePerson",
        "SuspendPerson",
        "OffboardPerson",
        "RevokeKey",
        "MakeStop",
        "MakeTeam",
        "ChangeTeam",
        "RemoveTeam",
        "JoinTeam",
        "LeaveTeam",
        "ProvisionUser",
        "RemoveUser",
        "ProvisionGroup",
        "RemoveGroup",
        "RelinkPerson",
    )
)
"""Acts that can take the last administrator away: they are undone where they would. To come into a
team can, where its roles forbid something.

What identity providers say of their own people at a sign-in, and the end of a credential that
has leaked, counts whatever it leaves.
"""
KEY_LASTS = 86400.0
"""Seconds for which a key must be good still: its holder needs time to make another."""
FIX = (
    "make somebody else an administrator first, who has a password, an account at an identity "
    "provider, or a key that is good for a day"
)


class Left(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """Until when somebody administers everything, in Unix seconds; -inf for nobody.

    `able`: of those who can come in; `named`: of all. More is better, `able` first.
    """

    able: float = -inf
    named: float = -inf


@dataclass(slots=True, kw_only=True)
class Ground:
    """What it is judged by: one transaction. `local`: whether passwords open anything."""

    desk: Desk
    rules: Rules
    now: float
    local: bool
    _teams: dict[str, tuple[str, ...]] | None = field(default=None, init=False)
    _stops: list[Stop] | None = field(default=None, init=False)

    async def left(self) -> Left:
        """The best there is. Programs do not count: nobody can ask them for access."""
        able = named = -inf
        async for email in self._candidates():
            until = await self._until(email)
            named = max(named, until)
            if until > able and await self._comes_in(email):
                able = until
            if able == inf:
                break
        return Left(able=able, named=max(named, able))

    async def _candidates(self) -> AsyncIterator[str]:
        """Those whom the rules in force know first: among them there is one, as a rule."""
        known = [
            each.email
            for each in self.rules.principals.values()
            if is_person(each) and administers(each, "*", self.now)
        ]
        for email in known:
            yield email
        tried = frozenset(known)
        for row in await self.desk.persons.every():
            if row.email not in tried:
                yield row.email

    async def _until(self, email: str) -> float:
        row = await self.desk.persons.get(email)
        if row is not None and (
            row.state is not PersonState.ACTIVE or row.kind is PersonKind.SERVICE
        ):
            return -inf
        if row is None or of_file(self.rules, email, row):
            known = self.rules.principals.get(email)
            program = known is None or known.responsible is not None
            return -inf if known is None or program else _lasting(known, self.now)
        if row.servers or not govern(await self._roles(row), self.rules):
            return -inf
        ends = inf if row.expires is None else row.expires
        return ends if ends > self.now else -inf

    async def _roles(self, row: Person) -> tuple[str, ...]:
        if self._teams is None:
            every = await self.desk.teams.every()
            self._teams = {each.name: each.roles for each in every if not each.servers}
        teams = [each.team for each in await self.desk.teams.of(row.email)]
        return (*row.roles, *(role for team in teams for role in self._teams.get(team, ())))

    async def _comes_in(self, email: str) -> bool:
        if await self._stopped(StopKind.USER, email):
            return False
        if self.local and await self.desk.passwords.get(email) is not None:
            return True
        return await self._vouched_for(email) or await self._has_key(email)

    async def _vouched_for(self, email: str) -> bool:
        """By a provider that knows him, or may be believed when he comes first."""
        providers = self.rules.providers
        linked = {each.provider for each in await self.desk.identities.of(email)}
        if linked:
            return any(each.name in linked for each in providers)
        domain = email.rpartition("@")[2]
        terms = (each.terms for each in providers)
        return any(
            each.link_by_email and (not each.domains or domain in each.domains) for each in terms
        )

    async def _has_key(self, email: str) -> bool:
        for digest, whose in self.rules.keys.items():
            if whose.email == email and not await self._stopped(StopKind.KEY, key_id(digest)):
                return True
        for kept in await self.desk.credentials.of(email):
            if self._good(kept) and not await self._stopped(StopKind.KEY, kept.credential.id):
                return True
        return False

    def _good(self, kept: Kept) -> bool:
        key = kept.credential
        whole = key.kind is CredentialKind.KEY and not key.scopes and key.audience is None
        lasts = key.expires is None or key.expires > self.now + KEY_LASTS
        return whole and kept.ended is None and lasts

    async def _stopped(self, kind: StopKind, target: str) -> bool:
        if self._stops is None:
            self._stops = await self.desk.stops.in_force(self.now)
        return any(each.kind is kind and each.target == target for each in self._stops)


def lessens(act: Any) -> bool:
    return type(act).__name__ in LESSENING


def trouble(before: Left, after: Left) -> str | None:
    """Why an act that leaves this cannot be, as a sentence; None where it takes nothing away."""
    if after >= before:
        return None
    ends = max(after.able, -inf if before.able > -inf else after.named)
    if ends > -inf:
        told = timestamp(ends)[:16].replace("T", " ")
        return f"this takes away the last administrator who stays: there is none from {told} UTC on"
    return "this takes away the last administrator who can sign in: nobody could give any access"


def _lasting(principal: Principal, now: float) -> float:
    """Until when he administers everything without a gap; -inf where he does not now."""
    ends = inf if principal.expires is None else principal.expires
    if ends <= now:
        return -inf
    for phase in principal.phases:
        begins = max(now, phase.begins)
        if phase.ends <= now or begins >= ends:
            continue
        if not administers(principal, "*", begins):
            return begins if begins > now else -inf
    return ends
