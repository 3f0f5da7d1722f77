"""Stops: somebody or something is refused from one moment to the next, until it is lifted."""

from enum import StrEnum
from typing import Protocol

import msgspec


class StopKind(StrEnum):
    USER = "user"
    KEY = "key"
    SERVER = "server"
    TOOL = "tool"


class Stop(msgspec.Struct, frozen=True, kw_only=True):
    """`target`: an address, a credential's id, a server, or `server/tool`.

    `reason`: what refused callers are told. `expires`: Unix seconds; None until it is lifted.
    `lifted_by`: None where it has ended by itself.
    """

    id: str
    kind: StopKind
    target: str
    reason: str
    created: float
    created_by: str
    expires: float | None = None
    lifted_at: float | None = None
    lifted_by: str | None = None

    def holds(self, now: float) -> bool:
        return self.lifted_at is None and (self.expires is None or now < self.expires)


class StopDesk(Protocol):
    """Stops, in one transaction of the state database. Raises StateError."""

    async def add(self, stop: Stop) -> None: ...
    async def get(self, id: str) -> Stop | None: ...

    async def lift(self, id: str, by: str, now: float) -> bool:
        """False when it was lifted or over already."""
        ...

    async def end(self, id: str, now: float) -> bool:
        """Keep that its time is over. False when it is not, or when that is kept already."""
        ...

    async def overdue(self, now: float, most: int) -> list[Stop]:
        """Those whose time is over, of which that is not kept yet; the oldest end first."""
        ...

    async def in_force(self, now: float) -> list[Stop]:
        """By time, the oldest first."""
        ...

    async def newest(self, most: int) -> list[Stop]:
        """Every one that ever was, the newest first."""
        ...
