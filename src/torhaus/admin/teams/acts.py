"""What can be done about teams, as data."""

import msgspec

from torhaus.model.person import Team


class MakeTeam(msgspec.Struct, frozen=True, kw_only=True):
    """`servers`: the only ones where its roles count; empty for all. `members`: addresses."""

    name: str
    roles: tuple[str, ...] = ()
    servers: tuple[str, ...] = ()
    members: tuple[str, ...] = ()


class ChangeTeam(msgspec.Struct, frozen=True, kw_only=True):
    """None leaves a thing as it is; empty `servers` takes the limit away."""

    name: str
    roles: tuple[str, ...] | None = None
    servers: tuple[str, ...] | None = None


class RemoveTeam(msgspec.Struct, frozen=True):
    """What it gave its members is gone with it."""

    name: str


class JoinTeam(msgspec.Struct, frozen=True):
    """All of them, or nobody."""

    name: str
    emails: tuple[str, ...]


class LeaveTeam(msgspec.Struct, frozen=True):
    """All of them, or nobody."""

    name: str
    emails: tuple[str, ...]


class Manned(msgspec.Struct, frozen=True):
    """A team and who is in it, as it is now."""

    team: Team
    members: tuple[str, ...] = ()
