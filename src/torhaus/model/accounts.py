"""How people sign in, as the state database keeps it: links, passwords, what is under way."""

from typing import Protocol

import msgspec


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """An account at an identity provider, and who it is here.

    `groups`: as the provider named them last. `linked`, `seen`: Unix seconds.
    """

    issuer: str
    subject: str
    email: str
    provider: str
    groups: tuple[str, ...] = ()
    linked: float = 0.0
    seen: float = 0.0


class Password(msgspec.Struct, frozen=True, kw_only=True):
    """A local account. `hash`: argon2id, with its parameters.

    `second_factor`: the sealed secret of the codes; None for an account without.
    `last_step`: the newest code's number that was used. `recovery`: digests (hex) of
    the recovery codes that are left.
    """

    email: str
    hash: str
    second_factor: bytes | None = None
    last_step: int | None = None
    recovery: tuple[str, ...] = ()
    changed: float = 0.0


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """Something under way that ends once: a sign-in at a provider, a one-time link.

    `digest`: of what comes back. `browser`: digest of the browser's cookie it is bound to; empty
    for a link that any browser may open. `sealed`: what must be remembered until then.
    """

    digest: bytes
    kind: str
    browser: bytes = b""
    provider: str = ""
    sealed: bytes = b""
    created: float = 0.0
    expires: float = 0.0


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody is asked in. `digest`: of the link's token. `access_ends`: Unix seconds, or None.

    `state`: pending, accepted, revoked. `delivery`: what became of the mail.
    """

    id: str
    digest: bytes
    email: str
    state: str = "pending"
    roles: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    message: str = ""
    access_ends: float | None = None
    created: float = 0.0
    created_by: str = ""
    expires: float = 0.0
    decided_at: float | None = None
    delivery: str = ""


class IdentityDesk(Protocol):
    """Links, in one transaction of the state database. Raises StateError."""

    async def get(self, issuer: str, subject: str) -> Link | None: ...
    async def of(self, email: str) -> list[Link]: ...
    async def put(self, link: Link) -> None:
        """As this from now on, whether it was there or not."""
        ...

    async def remove(self, email: str) -> int:
        """All of one person's; how many there were."""
        ...


class PasswordDesk(Protocol):
    """Local accounts, in one transaction of the state database. Raises StateError."""

    async def get(self, email: str) -> Password | None: ...
    async def put(self, password: Password) -> None: ...
    async def remove(self, email: str) -> bool: ...

    async def step(self, email: str, step: int) -> bool:
        """Use a code up: compare and set. False when it, or a newer one, was used before."""
        ...

    async def spend(self, email: str, before: Password, recovery: tuple[str, ...]) -> bool:
        """Keep the recovery codes that are left. False when they are others than `before`'s."""
        ...


class DepartureDesk(Protocol):
    """What is under way, in one transaction of the state database. Raises StateError."""

    async def add(self, leaving: Leaving) -> None: ...

    async def get(self, digest: bytes, now: float) -> Leaving | None:
        """Without using it up."""
        ...

    async def take(self, digest: bytes, now: float) -> Leaving | None:
        """Use it up: of any number of takers one gets it. None when it is used, over, unknown."""
        ...

    async def forget(self, kind: str) -> None:
        """All of a kind, such as links of an earlier start."""
        ...

    async def sweep(self, now: float) -> None:
        """Those whose time is over."""
        ...


class SeenDesk(Protocol):
    """Ids that may come once, over all processes. Raises StateError."""

    async def first(self, source: str, id: str, expires: float) -> bool:
        """True for the first who asks. It is remembered until `expires`."""
        ...

    async def sweep(self, now: float) -> None: ...


class InvitationDesk(Protocol):
    """Invitations, in one transaction of the state database. Raises StateError."""

    async def add(self, invitation: Invitation) -> None: ...
    async def get(self, id: str) -> Invitation | None: ...
    async def sent(self, digest: bytes) -> Invitation | None:
        """The one whose link holds the token of this digest."""
        ...

    async def newest(self, most: int) -> list[Invitation]: ...

    async def waiting(self, email: str, now: float) -> bool:
        """Whether somebody is asked in and could still come."""
        ...

    async def unanswered(self, created_by: str, now: float) -> int:
        """How many of one sender's could still be answered."""
        ...

    async def forget(self, before: float) -> None:
        """Those whose link was over by then, whatever became of them."""
        ...

    async def renew(self, invitation: Invitation) -> bool:
        """Another link. False when it is not pending any more."""
        ...

    async def deliver(self, id: str, delivery: str) -> None:
        """Keep what became of the letter."""
        ...

    async def decide(self, id: str, state: str, now: float) -> bool:
        """From pending to `state`: compare and set. False when it is not pending any more."""
        ...


class Hasher(Protocol):
    """Slow hashes of passwords. Both wait for a thread, and for their turn."""

    async def hash(self, password: str) -> str: ...

    async def verify(self, hash: str | None, password: str) -> bool:
        """None for an unknown account: False, after the same work."""
        ...
