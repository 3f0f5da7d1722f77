"""The pinned catalogue: which definition of each tool an administrator stands for."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class Drift(StrEnum):
    """What happens to a tool that is not as it was accepted."""

    QUARANTINE = "quarantine"
    WARN = "warn"
    ACCEPT = "accept"


class Standing(StrEnum):
    """How a tool stands with the pinned catalogue.

    ACCEPTED: as pinned. NEW and CHANGED wait for an administrator; REJECTED: one has said no to
    what the server offers. GONE: accepted once, and not in the server's list any more.
    """

    ACCEPTED = "accepted"
    NEW = "new"
    CHANGED = "changed"
    REJECTED = "rejected"
    GONE = "gone"


class Definition(msgspec.Struct, frozen=True):
    """A tool as its server describes it: SHA-256 in hex of `text`, canonical JSON."""

    digest: str
    text: bytes


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one tool. Times in Unix seconds.

    `accepted`: None for a tool that came later and nobody has accepted yet. `accepted_by`: an
    e-mail address, `first use` or `drift: accept`. `offered`: what the server lists now, where
    that is not what is accepted; `since` when. `rejected`: the digest an administrator refused;
    `told`: the last one people were alerted to. `gone`: since when it is in no list.
    """

    server: str
    name: str
    first_seen: float
    accepted: Definition | None = None
    accepted_by: str | None = None
    accepted_at: float | None = None
    offered: Definition | None = None
    since: float | None = None
    rejected: str | None = None
    told: str | None = None
    gone: float | None = None

    @property
    def standing(self) -> Standing:
        if self.offered is not None and self.rejected == self.offered.digest:
            return Standing.REJECTED
        if self.gone is not None:
            return Standing.GONE
        if self.offered is None:
            return Standing.ACCEPTED
        return Standing.NEW if self.accepted is None else Standing.CHANGED


class What(StrEnum):
    """What has happened to a catalogue. The values are operations in audit records."""

    PINNED = "catalogue.pinned"
    NEW = "catalogue.tool.new"
    CHANGED = "catalogue.tool.changed"
    FOLLOWED = "catalogue.tool.followed"


class News(msgspec.Struct, frozen=True, kw_only=True):
    """Something people should hear of: the first list of a server, or a tool that drifted.

    `pins`: all of the first list; else the one tool. `refused`: calls of it are. FOLLOWED: what
    changed was accepted, because the server's settings say so. `at`: Unix seconds.
    """

    what: What
    server: str
    pins: tuple[Pin, ...]
    at: float
    refused: bool = False


class ToolDesk(Protocol):
    """Pins in one transaction of the state database. Every method raises StateError."""

    async def all(self) -> list[Pin]: ...

    async def get(self, server: str, name: str) -> Pin | None: ...

    async def since(self, written: float) -> list[Pin]:
        """Those written at this time or later, by whichever process."""
        ...

    async def keep(self, pins: Sequence[Pin], now: float) -> None:
        """Write what was seen of these; the newer acceptance and the newer rejection stand."""
        ...

    async def accept(self, pin: Pin, now: float) -> bool:
        """Write an acceptance. False when the server offers something else by now."""
        ...

    async def reject(self, pin: Pin, now: float) -> bool:
        """Write a rejection of what is offered. False as above."""
        ...
