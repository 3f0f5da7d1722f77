"""Asks directories again about people who are signed in: they tell nobody when somebody leaves."""

from collections.abc import Callable, Mapping

import structlog

from torhaus.admin.means import Means
from torhaus.admin.perform import Admin
from torhaus.admin.signin.rechecking import Recheck
from torhaus.admin.turns import Turns
from torhaus.model.people import Principal
from torhaus.model.signin import Rechecking, SignInError

log = structlog.get_logger()

EVERY = 30.0
"""Seconds between two looks at whose turn it is."""
LONGEST = 91 * 86400.0
"""Seconds after which nothing lives that was agreed to in a session."""


class Rechecks:
    """`providers`: those of the rules in force that have to be asked."""

    def __init__(
        self, means: Means, admin: Admin, providers: Callable[[], Mapping[str, Rechecking]]
    ) -> None:
        self._means = means
        self._admin = admin
        self._providers = providers
        self._asked: dict[tuple[str, str], float] = {}
        self._turns = Turns(EVERY, failed="recheck.failed", bug="recheck.broken")

    async def run(self) -> None:
        """Until cancelled."""
        await self._turns.run(lambda _number: self.walk())

    def ask(self) -> None:
        """Look now whose turn it is."""
        self._turns.ask()

    async def walk(self) -> None:
        """Ask about everybody whose turn it is. Raises StateError and LedgerError."""
        due = [
            (provider, subject)
            for provider in self._providers().values()
            for subject in await self._due(provider)
        ]
        for provider, subject in due:
            await self._look(provider, subject)

    async def _due(self, provider: Rechecking) -> list[str]:
        now = self._means.clock()
        async with self._means.office.read() as desk:
            families = await desk.families.told_by(provider.issuer, None, None)
        since: dict[str, float] = {}
        for each in families:
            if each.subject is not None and each.created > now - LONGEST:
                since[each.subject] = max(each.created, since.get(each.subject, 0.0))
        known = {(provider.issuer, subject) for subject in since}
        others = {key: at for key, at in self._asked.items() if key[0] != provider.issuer}
        self._asked = {**others, **{key: self._asked.get(key, 0.0) for key in known}}
        return [
            subject
            for subject, began in since.items()
            if now - max(began, self._asked[provider.issuer, subject]) >= provider.interval
        ]

    async def _look(self, provider: Rechecking, subject: str) -> None:
        try:
            groups = await provider.still(subject)
        except SignInError as error:
            # Nothing is known, so nothing changes: the next round asks again.
            log.warning("recheck.unanswered", provider=provider.name, detail=error.detail)
            return
        self._asked[provider.issuer, subject] = self._means.clock()
        async with self._means.office.read() as desk:
            link = await desk.identities.get(provider.issuer, subject)
        if link is None or link.groups == groups:
            return
        act = Recheck(
            provider=provider.name, issuer=provider.issuer, subject=subject, groups=groups
        )
        name = f"idp:{provider.name}"
        await self._admin.perform(Principal(id=name, email=name), act, "")
