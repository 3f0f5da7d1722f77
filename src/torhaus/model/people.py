"""Who asks: principals and what their roles let them do, now and later."""

from collections.abc import Mapping
from math import inf

import msgspec

from torhaus.model.access import NO_ACCESS, Access, Permission
from torhaus.model.networks import Network


class Phase(msgspec.Struct, frozen=True, kw_only=True):
    """What holds from `begins` (Unix seconds) until just before `ends`.

    `access`: server name -> access; the entry `*` is for servers without one of their own.
    `limited`: those of `roles` that count on some servers only -> these servers.
    """

    begins: float = -inf
    ends: float = inf
    roles: tuple[str, ...] = ()
    access: Mapping[str, Access] = {}
    limited: Mapping[str, tuple[str, ...]] = {}

    def roles_on(self, server: str) -> tuple[str, ...]:
        """Those that count there."""
        if not self.limited:
            return self.roles
        held = self.limited
        return tuple(each for each in self.roles if each not in held or server in held[each])

    def on(self, server: str) -> Access:
        found = self.access.get(server)
        return self.access.get("*", NO_ACCESS) if found is None else found


NO_PHASE = Phase()


class Principal(msgspec.Struct, frozen=True, kw_only=True):
    """A user, service account, or the anonymous caller of a listed network.

    `expires`: Unix seconds, the first instant at which access has ended; None for never.
    `phases`: in order of time and without gaps; temporary access begins and ends phases.
    `responsible`: of a service account, the person who answers for it, empty where nobody does;
    None for a person. `scopes`: what the credential he shows is held to; None for nothing.
    `shown`: what records call that credential, where he administers; calls carry it themselves.
    """

    id: str
    email: str
    groups: tuple[str, ...] = ()
    expires: float | None = None
    phases: tuple[Phase, ...] = ()
    scopes: tuple[Permission, ...] | None = None
    responsible: str | None = None
    shown: str = ""

    def phase(self, now: float) -> Phase:
        """What holds at `now`; once access has expired, nothing."""
        if self.expires is not None and now >= self.expires:
            return NO_PHASE
        for phase in self.phases:
            if now < phase.ends:
                return phase
        return NO_PHASE

    def roles(self, now: float) -> tuple[str, ...]:
        """Those of `phase`. Without the call: each call asks twice."""
        if self.expires is not None and now >= self.expires:
            return NO_PHASE.roles
        for phase in self.phases:
            if now < phase.ends:
                return phase.roles
        return NO_PHASE.roles


class AnonymousAccess(msgspec.Struct, frozen=True):
    """Requests without a credential from these networks act as this principal."""

    networks: tuple[Network, ...]
    principal: Principal
