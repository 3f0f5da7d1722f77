"""The authorization server's words: its clients, what they were given, and where that is kept."""

from typing import Protocol

import msgspec

MINUTE, DAY = 60.0, 86400.0


class Client(msgspec.Struct, frozen=True, kw_only=True):
    """A program that asks for tokens.

    `kind`: `file` (the configuration's), `document` (its id is the URL of its metadata) or
    `registered` (it registered itself). `method`: how it proves itself at /token: `none`,
    `client_secret_basic`, `client_secret_post`, or empty for either of the two.
    `secret`: SHA-256 of its secret; None for a public client. `ports`: the loopback ports it may
    use where the redirect URI names none; empty for all.
    """

    id: str
    kind: str
    name: str
    redirect_uris: tuple[str, ...]
    method: str = "none"
    secret: bytes | None = None
    ports: tuple[int, ...] = ()
    created: float = 0.0
    used: float | None = None
    ip: str = ""


class AuthorizationServer(msgspec.Struct, frozen=True, kw_only=True):
    """How the file wants it. Times in seconds.

    `idle`: a refresh token that is not used for so long is over; `longest`: so is every token of a
    consent. `require_resource`: requests must say which server they are for. `documents`: client
    ids that are URLs; `fetch`: documents may be fetched that are not shipped. `registration`:
    clients may register themselves, so many an hour from one address (`rate`).
    `programs`: further addresses of programs that clients may name. `clients`: those of the file.
    `assertions`: names of OpenID providers whose ID-JAGs are taken.
    """

    enabled: bool = True
    access: float = 15 * MINUTE
    idle: float = 30 * DAY
    longest: float = 90 * DAY
    require_resource: bool = True
    documents: bool = True
    fetch: bool = False
    registration: bool = True
    rate: int = 300
    programs: frozenset[str] = frozenset()
    clients: tuple[Client, ...] = ()
    assertions: tuple[str, ...] = ()


class Code(msgspec.Struct, frozen=True, kw_only=True):
    """An authorization code, by the digest of it. `used`: when it was exchanged."""

    digest: bytes
    family: str
    client_id: str
    redirect_uri: str
    audience: str
    challenge: str
    expires: float
    used: float | None = None


class Refresh(msgspec.Struct, frozen=True, kw_only=True):
    """A refresh token, by its digest.

    `successor`: the pair it was changed for, sealed under the token itself; None before, and again
    once nobody may ask for it a second time.
    """

    digest: bytes
    family: str
    created: float
    expires: float
    used: float | None = None
    successor: bytes | None = None


class ClientDesk(Protocol):
    """Clients that registered themselves."""

    async def add(self, client: Client) -> None: ...
    async def get(self, id: str) -> Client | None: ...
    async def use(self, id: str, now: float) -> None:
        """A person has let this client in: it is kept."""
        ...

    async def count(self) -> int: ...
    async def forget_unused(self, before: float) -> int:
        """Those made before, and never used; returns how many went."""
        ...

    async def forget_oldest(self) -> bool:
        """The oldest that was never used. False when every one was."""
        ...


class CodeDesk(Protocol):
    """Authorization codes."""

    async def add(self, code: Code) -> None: ...
    async def get(self, digest: bytes) -> Code | None: ...
    async def use(self, digest: bytes, now: float) -> bool:
        """Compare and set: one taker gets True."""
        ...

    async def forget(self, before: float) -> int:
        """Those that ended before."""
        ...


class RefreshDesk(Protocol):
    """Refresh tokens."""

    async def add(self, refresh: Refresh) -> None: ...
    async def get(self, digest: bytes) -> Refresh | None: ...
    async def use(self, digest: bytes, successor: bytes, now: float) -> bool:
        """Compare and set: one taker gets True, and leaves what the next one is given."""
        ...

    async def seal_off(self, before: float) -> int:
        """Forget the successors of those used before: nobody may ask for them any more."""
        ...

    async def forget(self, before: float) -> int:
        """Those that ended before."""
        ...
