"""Gateways with key rings of their own on one database."""

import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from tests.torhaus.admin.hall import Hall
from torhaus.admin.holding import Holding
from torhaus.admin.means import Means
from torhaus.admin.rekeying import Rekeying
from torhaus.admin.safe import Safe
from torhaus.identity.sealing import SealedError
from torhaus.model.vault import Content, Kept, VaultKind
from torhaus.store.keyring import Ring


class Gateway:
    """What one process has for itself. `waits`: how long it has waited for others."""

    def __init__(
        self, means: Means, data: Path, id: str = "one", environ: Mapping[str, str] | None = None
    ) -> None:
        self.ring = Ring(data, environ or {}, os.urandom)
        self.safe = Safe(self.ring.ring, os.urandom)
        self.holding = Holding(means, self.ring, id=id, name=f"host-{id}", shared=True)
        self.waits = 0.0
        self.beside: list[Gateway] = []
        self.rekeying = Rekeying(means, self.safe, self.ring, id, self._sleep)

    async def _sleep(self, seconds: float) -> None:
        """Others have their turns meanwhile."""
        self.waits += seconds
        for each in self.beside:
            await each.holding.turn()


class Given:
    """The hall's own keys, as somebody else owns them."""

    def __init__(self, hall: Hall) -> None:
        self._hall = hall

    def ids(self) -> tuple[str, ...]:
        return self._hall.ring.ids

    def follow(self) -> None:
        pass

    def fresh(self, sealing: str) -> str:
        return self._hall.ring.first

    def drop(self, needed: frozenset[str]) -> tuple[str, ...]:
        return tuple(id for id in self._hall.ring.ids if id not in needed)


def kept(number: int, **changes: object) -> Kept:
    made = Kept(
        id=f"vlt_{number:04}",
        server="github",
        email=f"user{number}@example.org",
        kind=VaultKind.OAUTH_USER,
        key_id="",
        sealed=b"",
        created=1.0,
        created_by="",
        rotated=1.0,
    )
    return msgspec.structs.replace(made, **changes)


async def fill(hall: Hall, safe: Safe, number: int) -> None:
    async with hall.office.write() as desk:
        key = await safe.key(desk, 1.0)
        for n in range(number):
            await desk.vault.add(safe.sealed(kept(n), Content(value=f"canary-{n}"), key))


async def opened(hall: Hall, safe: Safe) -> dict[str, str]:
    """What is in every row; of one that does not open, why."""
    async with hall.office.read() as desk:
        rows = await desk.vault.every(10_000)
    return {each.id: _opened(safe, each) for each in rows}


def _opened(safe: Safe, row: Kept) -> str:
    try:
        return safe.opened(row).value
    except SealedError as error:
        return str(error)
