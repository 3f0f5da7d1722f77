"""What can be done about invitations, as data."""

import msgspec


class Invite(msgspec.Struct, frozen=True, kw_only=True):
    """`digest`: of the link's token. `servers`: the only ones; empty for all that roles open.

    `expires`: of the link; `access_ends`: of the person's access, None for never.
    """

    email: str
    digest: bytes
    roles: tuple[str, ...]
    servers: tuple[str, ...] = ()
    message: str = ""
    expires: float
    access_ends: float | None = None


class RevokeInvitation(msgspec.Struct, frozen=True):
    id: str


class RenewInvitation(msgspec.Struct, frozen=True, kw_only=True):
    """Another link; that of before is over."""

    id: str
    digest: bytes
    expires: float
