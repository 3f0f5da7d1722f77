"""The last step of every way in: a session begins, and the rules know whose it is."""

import asyncio
from collections.abc import Callable

from torhaus.admin.acts import Refusal
from torhaus.admin.means import Means
from torhaus.admin.perform import Admin
from torhaus.admin.signin.acts import STRANGER, Arrive, Fresh, RefuseSignIn, SignIn
from torhaus.admin.signin.outcome import DOWN, Closed, Guest, Opened
from torhaus.identity.keys import SESSION, digest, mint
from torhaus.model.people import Principal
from torhaus.model.ports import LedgerError, StateError
from torhaus.model.texts import marked

NO_GROUP = marked("no group of yours gives access here: ask an administrator")
PATIENCE = 40
PAUSE = 0.05
"""Rules with somebody new are compiled in a thread: looked for so often, so many seconds apart."""


class Entering:
    """`random(n)`: n random bytes."""

    def __init__(self, admin: Admin, means: Means, random: Callable[[int], bytes]) -> None:
        self.admin = admin
        self.means = means
        self.random = random

    def principal(self, email: str) -> Principal | None:
        return self.means.rules().principals.get(email)

    async def enter(
        self,
        email: str,
        guest: Guest,
        act: Callable[[Fresh], SignIn | Arrive],
        *,
        provider: str,
        ticket: bytes = b"",
    ) -> Opened | Closed:
        """Raises nothing: a database or an audit log that is down closes the door."""
        cookie = mint(self.random(32), SESSION)
        fresh = Fresh(
            digest=digest(cookie),
            provider=provider,
            agent=guest.agent,
            ip=guest.ip,
            ticket=ticket,
        )
        actor = self.principal(email) or Principal(id=email, email=email)
        try:
            done = await self.admin.perform(actor, act(fresh), guest.ip)
        except (StateError, LedgerError):
            return Closed(status=503, text=DOWN)
        if isinstance(done, Refusal):
            return Closed(status=403, text=done.reason)
        if done.result is None:
            return Closed(status=403, text=NO_GROUP)
        await self._until_known(email)
        return Opened(cookie=cookie)

    async def refuse(self, provider: str, reason: str, guest: Guest, email: str = "") -> None:
        """Leave the record of somebody who was not let in. Raises StateError and LedgerError."""
        known = self.principal(email)
        actor = STRANGER if known is None else known
        await self.admin.perform(actor, RefuseSignIn(provider, reason), guest.ip)

    async def _until_known(self, email: str) -> None:
        for _ in range(PATIENCE):
            if self.principal(email) is not None:
                return
            await asyncio.sleep(PAUSE)
