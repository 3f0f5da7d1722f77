"""What callers prove themselves with: keys, access tokens, browser sessions."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Protocol

import msgspec


class CredentialKind(StrEnum):
    """`key`: made by a person or administrator (`thk_`); `access`: from the OAuth server (`tht_`).

    `session`: a browser's cookie (`ths_`), never accepted from an Authorization header.
    """

    KEY = "key"
    ACCESS = "access"
    SESSION = "session"


class Credential(msgspec.Struct, frozen=True, kw_only=True):
    """One credential as the house knows it; the secret itself is never kept.

    `digest`: its SHA-256. `id`: what people and records call it. `email`: whose it is.
    `family`: what it ends with (a consent, a browser session); empty for a key.
    `audience`: the one address it is good for: a server's or view's name, empty for the
    aggregate, None for all. `scopes`: permissions it is held to; empty for none.
    `expires`: Unix seconds, the first instant at which it is over; None for never.
    """

    digest: bytes
    id: str
    kind: CredentialKind
    email: str
    family: str = ""
    label: str = ""
    audience: str | None = None
    scopes: tuple[str, ...] = ()
    created: float = 0.0
    expires: float | None = None


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A credential with what became of it. `ip`: where it was asked for; `used`: about when last.

    `ended`: when it was ended before its time, and by whom. `revision`: the change that left it so.
    """

    credential: Credential
    ip: str = ""
    used: float | None = None
    ended: float | None = None
    ended_by: str | None = None
    revision: int = 0


class FamilyKind(StrEnum):
    """`consent`: a client may act for somebody. `session`: somebody has signed in in a browser."""

    CONSENT = "consent"
    SESSION = "session"


class Family(msgspec.Struct, frozen=True, kw_only=True):
    """What credentials hang on and end with.

    `client_id` and `audience`: whom a consent was given to, and for what. `issuer`, `subject`,
    `provider_session`: who said who signs in. `proved`: when the owner of a session last proved who
    he is, Unix seconds; None where nobody said. `parent`: the session a consent was given in.
    `expires`: Unix seconds, the first instant at which nothing more comes of it.
    """

    id: str
    kind: FamilyKind
    email: str
    client_id: str | None = None
    label: str = ""
    audience: str | None = None
    issuer: str | None = None
    subject: str | None = None
    provider_session: str | None = None
    proved: float | None = None
    parent: str | None = None
    created: float = 0.0
    used: float = 0.0
    expires: float = 0.0
    ip: str = ""
    ended: float | None = None
    ended_by: str | None = None
    reason: str = ""


class CredentialDesk(Protocol):
    """Credentials, in one transaction of the state database. Raises StateError."""

    async def add(self, credential: Credential, ip: str) -> None:
        """`ip`: where it was asked for."""
        ...

    async def get(self, digest: bytes) -> Kept | None: ...
    async def named(self, id: str) -> Kept | None: ...

    async def of(self, email: str) -> list[Kept]:
        """Every one that is kept, the newest first."""
        ...

    async def end(self, digest: bytes, by: str, now: float) -> bool:
        """False when it had ended already, or is not known."""
        ...

    async def end_all(self, email: str, by: str, now: float) -> tuple[bytes, ...]:
        """Those of one person that had not ended; their digests."""
        ...

    async def live(self, now: float) -> list[Credential]:
        """Those that are neither ended nor over."""
        ...

    async def living(self, family: str, now: float) -> list[Credential]:
        """Those of one family that are neither ended nor over, the oldest first."""
        ...

    async def forget(self, before: float) -> None:
        """Tokens and cookies, never keys, whose time was over by then."""
        ...

    async def forget_keys(self, before: float) -> None:
        """Keys that were ended, or whose time was over, by then."""
        ...

    async def since(self, revision: int) -> list[Kept]:
        """Those that came or ended after this revision, in order."""
        ...

    async def use(self, used: Mapping[bytes, float]) -> None:
        """When they were used; never earlier than what is known."""
        ...

    async def newest(self, kind: CredentialKind, most: int) -> list[Kept]: ...


class FamilyDesk(Protocol):
    """Families, in one transaction of the state database. Raises StateError."""

    async def add(self, family: Family) -> None: ...
    async def get(self, id: str) -> Family | None: ...

    async def of(self, email: str) -> list[Family]:
        """Every one that is kept, the newest first."""
        ...

    async def begun_in(self, parent: str) -> list[Family]:
        """Those that were agreed to in this session."""
        ...

    async def told_by(self, issuer: str, subject: str | None, session: str | None) -> list[Family]:
        """Living ones whose owner was vouched for so; None for any subject or session."""
        ...

    async def use(self, id: str, now: float, expires: float) -> None: ...

    async def end(self, id: str, by: str, reason: str, now: float) -> tuple[bytes, ...]:
        """With its credentials; the digests of those that ended with it."""
        ...

    async def end_all(self, email: str, by: str, reason: str, now: float) -> tuple[bytes, ...]:
        """Those of one person that had not ended; the digests that ended with them."""
        ...

    async def forget(self, before: float) -> None:
        """Those whose time was over by then and on which nothing hangs any more."""
        ...


class RevisionDesk(Protocol):
    """Numbers that grow with what other processes must hear of. Raises StateError."""

    async def turn(self) -> None:
        """Until this transaction ends nobody else adds or ends credentials."""
        ...

    async def every(self) -> Mapping[str, int]:
        """By name: `credentials`, `people`, `stops`. One that is missing is 0."""
        ...
