"""What one role, group, user or block says: the parts that `Access` is put together from."""

import msgspec

from torhaus.model.access import Bound, Origin, Permission, Policy, TagDeny


class Ruling(msgspec.Struct, frozen=True, kw_only=True):
    """`server`: the one it is about, `*` for all; its permissions name theirs themselves.

    `exclusive`: where it stands, only rulings like this one allow anything.
    """

    server: str = "*"
    allows: tuple[Permission, ...] = ()
    denies: tuple[Permission, ...] = ()
    tags: tuple[TagDeny, ...] = ()
    bounds: tuple[Bound, ...] = ()
    origins: tuple[Origin, ...] = ()
    policies: tuple[Policy, ...] = ()
    redact: str | None = None
    exclusive: bool = False


class Rulings(msgspec.Struct):
    """Rulings by whom they are about, in the file's order."""

    roles: dict[str, list[Ruling]] = {}
    groups: dict[str, list[Ruling]] = {}
    users: dict[str, list[Ruling]] = {}
