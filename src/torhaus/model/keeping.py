"""How long audit records stay where: tiers, limits of age, and the bucket."""

from enum import StrEnum
from typing import Protocol

import msgspec

from torhaus.model.evidence import Held, Released
from torhaus.model.secret import Secret


class Tier(StrEnum):
    """In the order in which a day file goes through them. `archive` is out of every query."""

    HOT = "hot"
    WARM = "warm"
    COLD = "cold"
    ARCHIVE = "archive"


class After(StrEnum):
    """What becomes of records when their time is over."""

    KEEP = "keep"
    DELETE = "delete"
    ARCHIVE = "archive"


FROZEN = frozenset(("GLACIER", "DEEP_ARCHIVE"))
"""Storage classes that cannot be read before a restore."""


class Retention(msgspec.Struct, frozen=True, kw_only=True):
    """Limits of age in seconds, ascending; None: that tier is not used.

    Without `hot` nothing moves and nothing ends. Records end at the last limit that is given.
    """

    hot: float | None = None
    warm: float | None = None
    cold: float | None = None
    after: After = After.KEEP


class Bucket(msgspec.Struct, frozen=True, kw_only=True):
    """Where warm and cold files are, if not on the disk: S3, or what speaks its protocol.

    `endpoint`: None for Amazon's own. Without keys, those of the environment or the machine.
    `prefix`: empty, or with a slash at its end. `classes`: the storage class of each tier; empty
    for the bucket's own. `plaintext`: whether http is accepted.
    """

    name: str
    endpoint: str | None = None
    region: str | None = None
    access_key_id: Secret | None = None
    secret_access_key: Secret | None = None
    prefix: str = ""
    warm_class: str = ""
    cold_class: str = ""
    archive_class: str = ""
    plaintext: bool = False

    @property
    def place(self) -> str:
        """As the journal names it."""
        host = self.endpoint or "s3:/"
        return f"{host}/{self.name}/{self.prefix}".rstrip("/")

    def storage_class(self, tier: Tier) -> str:
        classes = {
            Tier.WARM: self.warm_class,
            Tier.COLD: self.cold_class,
            Tier.ARCHIVE: self.archive_class,
        }
        return classes.get(tier, "")


class Restore(msgspec.Struct, frozen=True, kw_only=True):
    """Cold records of these days (both included) can be queried `until` (Unix seconds)."""

    id: str
    first_day: str
    last_day: str
    until: float
    by: str


class Shelved(msgspec.Struct, frozen=True, kw_only=True):
    """What a tier holds in day files."""

    files: int = 0
    records: int = 0
    octets: int = 0


class Standing(msgspec.Struct, frozen=True, kw_only=True):
    """How the audit log's files stand. `tiers`: by tier's name.

    `waiting`: sealed segments that are no day files yet, `oldest` of them since when (Unix
    seconds). `broken`: segments that are not what their checkpoints say. `failures`: by step,
    since the start. `trouble`: what goes wrong now, as a sentence.
    """

    tiers: dict[str, Shelved]
    waiting: Shelved = Shelved()
    oldest: float | None = None
    broken: int = 0
    restoring: int = 0
    failures: dict[str, int] = {}
    trouble: str | None = None


NO_STANDING = Standing(tiers={})


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """`ready` of its `files` can be queried."""

    restore: Restore
    ready: int
    files: int


class KeepingError(Exception):
    """It could not be done, and nothing was changed. The text is a sentence for people."""


class Vault(Protocol):
    """Where the audit log's files are. Every method raises KeepingError."""

    async def holds(self) -> list[Held]:
        """Those in force, in the order in which they came."""
        ...

    async def hold(self, held: Held) -> None:
        """Returns when it is in the journal: from then on nothing of these days is deleted."""
        ...

    async def release(self, released: Released) -> bool:
        """False when there is no such hold."""
        ...

    async def restores(self, now: float) -> list[Restored]: ...

    async def restore(self, restore: Restore, now: float) -> Restored:
        """Returns when it is written down; the work on it begins at once, and may take hours."""
        ...

    def standing(self) -> Standing: ...
