"""What time does to clients, codes and tokens, and to what people asked for long ago."""

from collections.abc import Callable
from dataclasses import dataclass

import structlog

from torhaus.admin.oauth.acts import GRACE
from torhaus.admin.turns import Turns
from torhaus.model.desk import Office

log = structlog.get_logger()

EVERY = 60.0
"""Seconds between two rounds."""
DAY = 86400.0
UNUSED = DAY
"""Seconds a registration lives that nobody lets in: clients register merely to look."""
KEPT = DAY
"""Seconds codes and refresh tokens stay after their end, so that a second use is noticed."""

OVER = 7 * DAY
"""Seconds tokens, cookies and what they hung on stay after their end."""
ASKED = 90 * DAY
"""Seconds requests for approvals and access, keys and invitations stay in the lists after their
end."""
ROUNDS = 60
"""Of how many rounds one cleans those away."""


@dataclass(frozen=True, slots=True)
class Tidying:
    """`clock`: Unix seconds."""

    office: Office
    clock: Callable[[], float]

    async def run(self) -> None:
        """Until cancelled."""
        turns = Turns(EVERY, failed="oauth.tidying.failed", bug="oauth.tidying.broken")
        await turns.run(self._round)

    async def _round(self, number: int) -> None:
        await self.tidy()
        if number % ROUNDS == 0:
            await self.clean()

    async def tidy(self) -> None:
        """Raises StateError."""
        now = self.clock()
        async with self.office.write() as desk:
            await desk.refreshes.seal_off(now - GRACE)
            await desk.refreshes.forget(now - KEPT)
            await desk.codes.forget(now - KEPT)
            gone = await desk.clients.forget_unused(now - UNUSED)
        if gone:
            log.info("oauth.clients.forgotten", count=gone)

    async def clean(self) -> None:
        """Raises StateError. Their records stay in the audit log."""
        now = self.clock()
        async with self.office.write() as desk:
            await desk.credentials.forget(now - OVER)
            await desk.credentials.forget_keys(now - ASKED)
            await desk.families.forget(now - OVER)
            await desk.seen.sweep(now)
            await desk.approvals.forget(now - ASKED)
            await desk.access.forget(now - ASKED)
            await desk.invitations.forget(now - ASKED)
