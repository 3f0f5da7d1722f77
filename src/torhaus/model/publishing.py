"""Who keeps the journal's heads outside: with them, nobody can cut its end off unnoticed."""

from typing import Protocol

import msgspec

from torhaus.model.keeping import Bucket
from torhaus.model.secret import Secret


class HeadFile(msgspec.Struct, frozen=True, kw_only=True):
    """Replaced by every new head."""

    path: str


class HeadHook(msgspec.Struct, frozen=True, kw_only=True):
    """Every head is posted there, signed with `secret` besides."""

    url: str
    secret: Secret


class HeadBucket(msgspec.Struct, frozen=True, kw_only=True):
    """Every head is an object of its own there, and none is ever replaced."""

    bucket: Bucket


HeadTarget = HeadFile | HeadHook | HeadBucket


class PublishError(Exception):
    """It was not taken, and may be later. A sentence without URLs and secrets."""


class Keeper(Protocol):
    """Keeps heads. Called from one thread, which it may block. `name`: for people."""

    @property
    def name(self) -> str: ...

    def put(self, number: int, line: bytes, /) -> None:
        """Returns when it is kept. `number`: of the journal's newest line. Raises PublishError."""
        ...

    def close(self) -> None:
        """Never raises."""
        ...


class Kept(msgspec.Struct, kw_only=True):
    """How one keeper does. `last`: Unix seconds of the last success; `trouble`: of now."""

    name: str
    sent: int = 0
    failed: int = 0
    last: float | None = None
    trouble: str | None = None


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the proof of the audit log is in order, as far as can be told without verifying.

    `trouble`: a sentence. `published`: who keeps heads, besides the file beside the journal.
    """

    trouble: str | None = None
    published: tuple[Kept, ...] = ()


NO_EVIDENCE = Evidence()
