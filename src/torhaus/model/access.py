"""What the rules say about one caller on one server: grants, denies, bounds and policies."""

from collections.abc import Mapping
from datetime import date, tzinfo
from enum import StrEnum
from re import Pattern
from typing import Any, Protocol

import msgspec

from torhaus.model.networks import Network


class Condition(Protocol):
    """A compiled `when:`. `text` is what the file says."""

    text: str

    def holds(self, facts: Mapping[str, Any]) -> bool:
        """Whether it is true of a call. Raises ValueError when it cannot be told."""
        ...


class Permission(msgspec.Struct, frozen=True):
    """One grant or deny, in the parts of `server:type:action`; `*` stands for any.

    `rule` is the name a verdict and the audit record carry, such as `developer: github.read`.
    `when`: it stands only for calls that this holds for. Where that cannot be told, a grant does
    not stand and a deny does.
    """

    server: str
    type: str
    action: str
    rule: str
    when: Condition | None = None


class Glob(msgspec.Struct, frozen=True):
    """`*` and `?` within one segment of a name. `pattern` matches in full, mostly in any case."""

    text: str
    pattern: Pattern[str]


class Bound(msgspec.Struct, frozen=True, kw_only=True):
    """Every target of `kind` (`repos`, `projects`, ...) must match `allow` and none of `deny`.

    `allow` None: any. A call whose targets of this kind are unknown is outside. With `when` it
    stands for calls that this holds for, and where that cannot be told.
    """

    kind: str
    rule: str
    allow: tuple[Glob, ...] | None = None
    deny: tuple[Glob, ...] = ()
    when: Condition | None = None


class Origin(msgspec.Struct, frozen=True, kw_only=True):
    """Where calls may come from: networks, or clients by the name they give (`clientInfo.name`).

    None: from anywhere, or with any client. Names are compared without case.
    """

    rule: str
    networks: tuple[Network, ...] | None = None
    clients: frozenset[str] | None = None


class TagDeny(msgspec.Struct, frozen=True):
    """Calls with one of these tags (`sensitive`, `personal`) are refused."""

    tags: frozenset[str]
    rule: str


class Hours(msgspec.Struct, frozen=True, kw_only=True):
    """Office hours in one time zone. `days`: Monday is 0.

    `windows`: (start, end) in seconds of the day, end excluded; one of them must hold. `end` <=
    `start` is an overnight window, which belongs to the day it starts on; `start` == `end` is the
    whole day. On `holidays` no window starts.
    """

    zone: tzinfo
    days: frozenset[int] = frozenset(range(7))
    windows: tuple[tuple[int, int], ...] = ((0, 0),)
    holidays: frozenset[date] = frozenset()


class Effect(StrEnum):
    """What a policy does with the calls it applies to."""

    DENY = "deny"
    DENY_OUTSIDE_HOURS = "deny_outside_hours"
    DENY_OUTSIDE_NETWORKS = "deny_outside_networks"
    DENY_OTHER_CLIENTS = "deny_other_clients"
    REQUIRE_APPROVAL = "require_approval"
    LOG_ONLY = "log_only"
    REDACT = "redact"


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """One entry of `policies`, already chosen for a caller and a server.

    What remains to be asked of each call: `tools` (normal names, or globs over them), `actions`,
    `types`, hours, networks, clients and `when`; None (or empty) asks nothing. All must hold.
    `approvers`: roles, groups or e-mail addresses who may decide; empty: any approver.
    """

    name: str
    effect: Effect
    tools: tuple[Glob, ...] = ()
    actions: frozenset[str] = frozenset()
    types: frozenset[str] = frozenset()
    hours: Hours | None = None
    networks: tuple[Network, ...] | None = None
    clients: frozenset[str] | None = None
    when: Condition | None = None
    approvers: tuple[str, ...] = ()
    reason: str = ""


class Access(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything the rules say about one caller on one server, while one phase lasts.

    `dict`: what policy works out of it once (`policy/index.py`) stays with it.

    `redact`: the rule that has results and arguments masked, None where nothing is.
    `scopes`: those of the credential that are about this server; each action needs one of them
    besides its allow. None for a credential without scopes.
    `arguments`: verdicts can depend on the call's arguments beyond the tool's class, and
    `moment`: on the time, the address or the client; without either, one verdict serves all calls
    of a tool.
    """

    allows: tuple[Permission, ...] = ()
    denies: tuple[Permission, ...] = ()
    tags: tuple[TagDeny, ...] = ()
    bounds: tuple[Bound, ...] = ()
    origins: tuple[Origin, ...] = ()
    policies: tuple[Policy, ...] = ()
    redact: str | None = None
    scopes: tuple[Permission, ...] | None = None
    arguments: bool = False
    moment: bool = False


NO_ACCESS = Access()
