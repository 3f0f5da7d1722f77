"""The rules in force: what the file says, with the people, grants and stops of the database."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePath

import msgspec
import structlog

from torhaus.admin.rounds import Grants
from torhaus.config.load import Loaded
from torhaus.config.places import Places
from torhaus.config.problems import ConfigError, FaultError
from torhaus.config.stopping import with_stops
from torhaus.model.person import NOBODY, Moved, Person, Roster
from torhaus.model.rules import Rules
from torhaus.model.stops import Stop

log = structlog.get_logger()

FEW = 50
"""People whose changes are put in force at once; more are compiled in a thread first."""


class InForce:
    """Owned by one event loop. `put`: called with every snapshot, right after it is in force."""

    def __init__(self, loaded: Loaded, put: Callable[[Loaded], None]) -> None:
        self.loaded = self._file = loaded
        self.rules: Rules = loaded.rules
        self.grants: Grants = ()
        self.roster: Roster = NOBODY
        self._put_elsewhere = put
        self._stops: tuple[Stop, ...] = ()
        self._turn = asyncio.Lock()
        self._meanwhile: set[str] = set()
        self._behind = False
        self._compiled: tuple[Grants, Roster] = ((), NOBODY)
        self._unknown: tuple[tuple[str, str], ...] = ()

    def given(self, loaded: Loaded) -> Loaded:
        """The file with what the database gives. For threads."""
        self._compiled = (self.grants, self.roster)
        return loaded.with_grants(*self._compiled)

    @property
    def places(self) -> Places:
        """Where the file has its rules. People are told its name, not where it lies."""
        found = self._file.blueprint.places
        return msgspec.structs.replace(found, file=PurePath(found.file).name)

    def swap(self, loaded: Loaded) -> bool:
        """Put another file in force. False when the database gives something else by now."""
        grants, roster = self._compiled
        self._file = loaded
        self._put(loaded)
        return grants is self.grants and roster is self.roster

    # -- what the database gives ---------------------------------------------------------------

    async def regrant(self, grants: Grants) -> None:
        """Put other grants in force; the same ones: everything once more."""
        changed = {each.user for each in set(self.grants) ^ set(grants)}
        self.grants = grants
        await self._renew(changed)

    async def repeople(self, roster: Roster) -> None:
        """Put other people in force."""
        before, self.roster = self.roster, roster
        if before == roster:
            if self._behind:  # who is in which group is compiled with all the rest
                self._behind = False
                await self._whole(set())
            return
        self._behind = False
        moved = _moved(before, roster)
        if (before.teams, before.members) == (roster.teams, roster.members):
            await self._renew(moved)
            return
        if len(moved) <= FEW:
            self._amend(moved)  # what they may is in force at once; who is in which group soon
        await self._whole(moved)

    def amend(self, persons: Sequence[Person], moved: Moved | None = None) -> None:
        """These people, and this of teams, have changed: that is in force when this returns.

        Teams of very many are left to `repeople`, which compiles them in a thread.
        """
        fresh = {each.email: each for each in persons}
        kept = [each for each in self.roster.persons if each.email not in fresh]
        every = tuple(sorted((*kept, *persons), key=lambda each: each.email))
        before = msgspec.structs.replace(self.roster, persons=every)
        now = before if moved is None else before.moved(moved)
        touched = _moved(before, now)
        if len(touched) <= FEW:
            self._behind = self._behind or bool(touched)
        else:
            now, touched = before, set()
        self.roster = now
        if fresh or touched:
            self._amend({*fresh, *touched})

    def restop(self, stops: tuple[Stop, ...]) -> None:
        """Put other stops in force, at once."""
        self._stops = stops
        if with_stops(self.rules, stops) is not self.rules:
            self._put(msgspec.structs.replace(self.loaded, rules=self.rules))

    async def _renew(self, changed: set[str]) -> None:
        """Put in force what has changed. Many people are compiled in a thread: calls do not wait.

        Where that fails, those who have changed may do nothing: they do not keep what they had.
        """
        if 0 < len(changed) <= FEW:
            self._amend(changed)
        else:
            await self._whole(changed)

    async def _whole(self, changed: set[str]) -> None:
        try:
            await self._compile()
        except ConfigError as error:
            log.error("people.refused", people=len(changed), reason=str(error))
            self._close(changed)
        except Exception:
            self._close(changed)
            raise

    async def _compile(self) -> None:
        """Raises ConfigError when it multiplies beyond all reason."""
        async with self._turn:
            base = None
            while base is not self._file:  # the file may change meanwhile
                base = self._file
                self._meanwhile.clear()
                fresh = await asyncio.to_thread(base.with_grants, self.grants, self.roster)
            self._put(fresh)
            self._tell(fresh.rules.unknown_roles)
            if self._meanwhile:
                self._amend(self._meanwhile)

    def _amend(self, emails: Iterable[str]) -> None:
        emails = tuple(emails)
        self._meanwhile.update(emails)
        blueprint = self.loaded.blueprint
        try:
            rules = blueprint.amended(self.rules, self.grants, self.roster, emails)
        except FaultError as error:
            log.error("people.refused", people=len(emails), reason=error.message)
            self._close(emails)
        except Exception:
            self._close(emails)
            raise
        else:
            self._put(msgspec.structs.replace(self.loaded, rules=rules))

    def _close(self, emails: Iterable[str]) -> None:
        """What these people may do now is not known: it is nothing."""
        gone = frozenset(emails)
        rest = {email: who for email, who in self.rules.principals.items() if email not in gone}
        keys = {key: who for key, who in self.rules.keys.items() if who.email in rest}
        rules = msgspec.structs.replace(self.rules, principals=rest, keys=keys)
        self._put(msgspec.structs.replace(self.loaded, rules=rules))

    def _put(self, loaded: Loaded) -> None:
        self.rules = with_stops(loaded.rules, self._stops)
        self.loaded = msgspec.structs.replace(loaded, rules=self.rules)
        self._put_elsewhere(self.loaded)

    def _tell(self, unknown: tuple[tuple[str, str], ...]) -> None:
        if unknown and unknown != self._unknown:
            some = sorted({role for _, role in unknown})[:20]
            log.warning("people.roles.unknown", people=len(unknown), roles=some)
        self._unknown = unknown


def _moved(before: Roster, now: Roster) -> set[str]:
    """Whose access may be another: it has changed for him, or for a team that he is in."""
    teams = {each.name for each in set(before.teams) ^ set(now.teams)}
    members = {*before.members, *now.members}
    return {
        *(each.email for each in set(before.persons) ^ set(now.persons)),
        *(each.email for each in set(before.members) ^ set(now.members)),
        *(each.email for each in members if each.team in teams),
    }
