"""Whether this gateway seals as the others of its database do: what one sealed, another opens."""

import structlog

from torhaus.identity.keys import digest
from torhaus.mcp.seal import Sealer, SealError, binding
from torhaus.model.accounts import Leaving
from torhaus.model.desk import Office

log = structlog.get_logger()

KIND = "seal"
LASTS = 90 * 86400.0
"""Seconds for which a gateway that started last counts."""
_DIGEST = digest("the seal of this database")
_BOUND = binding("seal")
FIX = "give all gateways the same TORHAUS_SEAL_KEY, or a copy of one data/seal.key"


async def alike(office: Office, sealer: Sealer, now: float) -> bool:
    """Leave a mark where there is none, or look at the one that is there. Raises StateError.

    Second factors, links to set a password and half a sign-in are sealed in the database, so that
    a gateway with a key of its own calls good ones wrong.
    """
    async with office.write() as desk:
        left = await desk.departures.get(_DIGEST, now)
        if left is not None and not _opens(sealer, left, now):
            log.error("seal.key.differs", fix=FIX)
            return False
        if left is not None:
            await desk.departures.take(_DIGEST, now)
        else:
            await desk.departures.sweep(now)
        sealed = sealer.seal(b"", _BOUND, now + LASTS).encode()
        mark = Leaving(digest=_DIGEST, kind=KIND, sealed=sealed, created=now, expires=now + LASTS)
        await desk.departures.add(mark)
    return True


def _opens(sealer: Sealer, left: Leaving, now: float) -> bool:
    try:
        sealer.unseal(left.sealed.decode("ascii"), _BOUND, now)
    except (SealError, UnicodeDecodeError):
        return False
    return True
