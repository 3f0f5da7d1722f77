"""Who asks: principals and what their roles let them do."""

from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network

import msgspec

Network = IPv4Network | IPv6Network


class Permission(msgspec.Struct, frozen=True):
    """One grant, in the parts of `server:type:action`; `*` stands for any.

    `rule` is the name a verdict and the audit record carry, such as `developer: github.read`.
    """

    server: str
    type: str
    action: str
    rule: str


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A user, service account, or the anonymous caller of a listed network.

    `expires`: Unix seconds, the first instant at which access has ended; None for never.
    `access`: server name -> the permissions that can apply to it. The entry `*` holds those
    that name no particular server; entries of named servers already include them.
    """

    id: str
    email: str
    roles: tuple[str, ...] = ()
    expires: float | None = None
    access: Mapping[str, tuple[Permission, ...]] = {}

    def permissions(self, server: str) -> tuple[Permission, ...]:
        found = self.access.get(server)
        return self.access.get("*", ()) if found is None else found


class AnonymousAccess(msgspec.Struct, frozen=True):
    """Requests without a credential from these networks act as this principal."""

    networks: tuple[Network, ...]
    principal: Principal
