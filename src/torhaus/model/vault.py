"""Credentials for servers as they are kept: sealed, in versions, for everybody or one person."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol

import msgspec


class VaultKind(StrEnum):
    """What is kept: what a server is shown, or what a person or administrator connected with OAuth.

    `OAUTH_CLIENT`: how Torhaus itself is registered at a server's authorization server.
    `IDENTITY`: what an identity provider says of a person; `OAUTH_ENTERPRISE`: tokens for a server
    that came of it.
    """

    BEARER = "bearer"
    HEADER = "header"
    BASIC = "basic"
    OAUTH_CLIENT = "oauth-client"
    OAUTH_SHARED = "oauth-shared"
    OAUTH_USER = "oauth-user"
    OAUTH_ENTERPRISE = "oauth-enterprise"
    IDENTITY = "identity"


class Standing(StrEnum):
    """`CURRENT` is used first; `PREVIOUS` stands beside it after a rotation."""

    CURRENT = "current"
    PREVIOUS = "previous"


def identity_of(provider: str) -> str:
    """In a server's place where a row is about a provider's word. No server is called so."""
    return f"idp:{provider}"


TYPED = frozenset((VaultKind.BEARER, VaultKind.HEADER, VaultKind.BASIC))
"""Kinds that somebody typed in; the others come from an authorization server."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """One row. `email`: whose it is, empty for everybody's. `name`: what it is the credential of.

    `name` is that of a header, an OAuth client or an identity provider.
    `sealed` under the key `key_id`. `issuer`: who issued it. `account`: what it is called there.
    `rotated`: when this version came; `expires`: when its access ends, None where nobody said.
    `used`: until when somebody refreshes it. `trouble`: what went wrong with it last, empty when
    nothing did. Times in Unix seconds.
    """

    id: str
    server: str
    email: str = ""
    name: str = ""
    kind: VaultKind
    state: Standing = Standing.CURRENT
    version: int = 1
    key_id: str
    sealed: bytes
    issuer: str = ""
    account: str = ""
    created: float
    created_by: str
    rotated: float
    expires: float | None = None
    used: float | None = None
    trouble: str = ""


class VaultDesk(Protocol):
    """Credentials for servers, in one transaction.

    Whoever changes some waits for others who do, until their transactions end.
    """

    async def turn(self) -> None:
        """Wait for them now: what is read afterwards nobody else changes in this transaction."""
        ...

    async def add(self, kept: Kept) -> None: ...
    async def get(self, id: str) -> Kept | None: ...

    async def of(self, server: str, email: str | None = None) -> list[Kept]:
        """Those of one server, current ones first; of one person or everybody's (`""`) if given."""
        ...

    async def every(self, most: int) -> list[Kept]:
        """By server, person and state."""
        ...

    async def newest(self, since: float, most: int) -> list[Kept]:
        """Those that came since then, everybody's first, and then the last ones."""
        ...

    async def move(self, id: str, old: Standing, new: Standing) -> bool:
        """Compare and set."""
        ...

    async def replace(self, kept: Kept, version: int) -> bool:
        """Put these contents in the place of version `version`. False when it is another by now."""
        ...

    async def remove(self, id: str) -> bool: ...

    async def leave(self, email: str) -> int:
        """Forget all that is one person's; how many."""
        ...

    async def disown(self, provider: str, email: str | None = None) -> int:
        """Forget what a provider has said of somebody, or of all, and what came of it."""
        ...

    async def claim(self, id: str, version: int, now: float, until: float) -> bool:
        """Whether the caller alone, of all processes, may refresh this version until then."""
        ...

    async def release(self, id: str, version: int) -> None:
        """He has failed: another may try."""
        ...

    async def trouble(self, id: str, text: str) -> None:
        """Note what went wrong with it, or that nothing does (empty)."""
        ...

    async def foreign(self, key_id: str, most: int) -> list[Kept]:
        """Rows that are sealed under other keys than this."""
        ...

    async def rewrap(self, kept: Kept, sealed: bytes, key_id: str) -> bool:
        """The same secret under another key. False when the row is another by now.

        The caller has the turn.
        """
        ...

    async def key_ids(self) -> Sequence[str]: ...

    async def revision(self) -> int:
        """A number that grows with every change but those of `trouble` and `rewrap`."""
        ...


class Content(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What is sealed. Prints as `•••`.

    `value`: a token, a header's value, a password, or an access token. `username`: for basic.
    `refresh`, `scope`: of OAuth tokens. `client_id`, `client_secret`, `method`: how Torhaus is
    known to who issued them, and proves it; `token_endpoint`, `resource`: where and for what it
    asks for new ones. `redirect`: where this client's browsers come back to. `proof_key`: the
    private key that tokens are bound to (DPoP), as `upstream.oauth.dpop` writes it.
    """

    value: str = ""
    username: str = ""
    refresh: str = ""
    scope: str = ""
    client_id: str = ""
    client_secret: str = ""
    method: str = ""
    token_endpoint: str = ""
    resource: str = ""
    redirect: str = ""
    proof_key: str = ""

    def __repr__(self) -> str:
        return "•••"

    def secrets(self) -> tuple[str, ...]:
        """What nobody may see of it."""
        key = self.proof_key.partition(".")[2]
        return tuple(each for each in (self.value, self.refresh, self.client_secret, key) if each)


class Held(msgspec.Struct, frozen=True):
    """A row, opened. `blocked`: why it may not be used any more; empty when it may."""

    kept: Kept
    content: Content
    blocked: str = ""


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """How old a stored credential may be. In seconds.

    `warn`: from then on people are told. `limit`: what policy allows; with `enforce` it is not used
    any longer than that. `grace`: so long after a rotation the former one is tried where the new
    one is refused.
    """

    warn: float = 80 * 86400.0
    limit: float = 90 * 86400.0
    enforce: bool = False
    grace: float = 7 * 86400.0


class Wallet(Protocol):
    """Stored credentials, opened, for the ways to servers. Raises StateError where it asks."""

    def known(self, server: str, email: str) -> tuple[Held, ...] | None:
        """The current one first, then the former one while its grace lasts. Does no I/O.

        None: ask `look`, nobody has for a while.
        """
        ...

    async def look(self, server: str, email: str) -> tuple[Held, ...]: ...

    async def register(self, server: str, issuer: str, content: Content) -> None:
        """How Torhaus is known to an authorization server, in the place of what it was."""
        ...

    async def exchanged(self, held: Held, tokens: Held) -> bool:
        """Keep tokens that came of what a provider says (`held`), in the place of former ones.

        False when it is not there any more: its person has left meanwhile.
        """
        ...

    async def claim(self, held: Held) -> bool:
        """Whether to refresh it is up to the caller alone, for half a minute."""
        ...

    async def refreshed(self, held: Held, content: Content, expires: float | None) -> bool:
        """Put new tokens in the place of these. False when others did before."""
        ...

    async def failed(self, held: Held, text: str) -> None:
        """It could not be refreshed, or was refused: note why."""
        ...

    async def stood_in(self, new: Held) -> None:
        """The former credential works where this new one was refused: tell people."""
        ...
