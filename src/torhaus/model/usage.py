"""How much was called and saved, kept by month."""

from collections.abc import Sequence
from typing import Protocol

import msgspec


class Use(msgspec.Struct, frozen=True):
    """Who used which tool in which month. `roles`: those he had then, with commas."""

    month: str
    server: str
    tool: str
    user: str
    roles: str


class Used(msgspec.Struct, frozen=True):
    """`calls` reached the server; `saved` were answered by the cache."""

    use: Use
    calls: int
    saved: int


class UsageDesk(Protocol):
    """Sums by month, in the state database. Raises StateError."""

    async def add(self, used: Sequence[Used]) -> None:
        """Add to what is there, also from several processes at once."""
        ...

    async def of(self, month: str) -> list[Used]: ...

    async def by_tool(self, month: str) -> list[Used]:
        """The same, of all people together: their `user` and `roles` are empty."""
        ...
