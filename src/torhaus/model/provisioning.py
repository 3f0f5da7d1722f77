"""What sources of provisioning (SCIM) have told of users and groups, as it is kept."""

from typing import Protocol

import msgspec

from torhaus.model.providers import Terms

USER, GROUP = "user", "group"


class ScimSource(msgspec.Struct, frozen=True, kw_only=True):
    """Who may provision. `digests`: SHA-256 of its tokens. `terms`: what its groups give.

    `rate`: requests a minute.
    """

    name: str
    digests: tuple[bytes, ...]
    terms: Terms
    rate: int = 1500

    @property
    def owner(self) -> str:
        return f"scim:{self.name}"


class Provisioned(msgspec.Struct, frozen=True, kw_only=True):
    """A user or a group of a source. `kind`: `user` or `group`.

    `name`: userName or displayName, lower case: one of each kind and source. `email`: of a user,
    who he is here. `known_as`: whose address he had before it was changed, None where it never
    was. `document`: JSON, as far as it is kept. Times are Unix seconds.
    """

    id: str
    kind: str
    source: str
    external_id: str | None = None
    name: str
    email: str | None = None
    known_as: str | None = None
    document: str
    created: float = 0.0
    changed: float = 0.0


class Sought(msgspec.Struct, frozen=True, kw_only=True):
    """Which ones are meant; None for any. `name` and `email` are lower case."""

    source: str
    kind: str
    id: str | None = None
    name: str | None = None
    external_id: str | None = None
    email: str | None = None


class ProvisionedDesk(Protocol):
    """Users and groups of sources, in one transaction of the state database. Raises StateError."""

    async def get(self, source: str, kind: str, id: str) -> Provisioned | None: ...

    async def some(self, sought: Sought, start: int, most: int) -> list[Provisioned]:
        """The oldest first, `start` of them left out."""
        ...

    async def count(self, sought: Sought) -> int: ...

    async def add(self, made: Provisioned) -> bool:
        """False when the source has one of this name already."""
        ...

    async def change(self, made: Provisioned, before: str) -> bool:
        """Compare and set. False when its document is another than `before` by now."""
        ...

    async def remove(self, id: str) -> bool: ...
