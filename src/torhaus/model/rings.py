"""Which key seals stored credentials, for all gateways on one database, and who has it."""

from typing import Protocol

import msgspec


class Sealing(msgspec.Struct, frozen=True):
    """`key`: id of the key that seals, since `since` (Unix seconds).

    `settled`: no row is left that waits to be put under it.
    """

    key: str
    since: float
    settled: bool = True


class Holder(msgspec.Struct, frozen=True):
    """A running gateway. `name`: of its machine. `keys`: ids of those it has."""

    id: str
    name: str
    keys: tuple[str, ...]
    seen: float


class RingDesk(Protocol):
    """The same for all processes, in one transaction of the state database. Raises StateError."""

    async def take(self, first: str, now: float) -> Sealing:
        """What seals, and nobody changes that before this transaction ends.

        Waits for others who change credentials. `first`: what seals where nobody has said.
        """
        ...

    async def sealing(self) -> Sealing | None:
        """The same without waiting; None where nobody has said."""
        ...

    async def move(self, key: str, now: float) -> None:
        """From now on this one seals, and rows under others wait to be put under it."""
        ...

    async def settle(self, key: str, now: float) -> None:
        """No row waits any more."""
        ...

    async def announce(self, holder: Holder) -> None: ...
    async def withdraw(self, id: str) -> None: ...

    async def holders(self, since: float) -> list[Holder]:
        """Those that have been seen since then; others are forgotten."""
        ...


class Keys(Protocol):
    """The keys of this gateway, by id. Raises OSError and ValueError; the changes wait for disks.

    Who changes them holds the turn of `RingDesk.take`, and so is alone.
    """

    def ids(self) -> tuple[str, ...]:
        """The first one is the one to seal with, once everybody has it."""
        ...

    def follow(self) -> None:
        """Take what another process, or somebody, has put there meanwhile."""
        ...

    def fresh(self, sealing: str) -> str:
        """The key to go on with in the place of `sealing`: a new one, or one that waits already.

        Where others own the keys, their first one.
        """
        ...

    def drop(self, needed: frozenset[str]) -> tuple[str, ...]:
        """Let go of what is not needed, but never of the first and the one before it.

        The ids. Where others own the keys: those they can take away, and nothing is changed.
        """
        ...
