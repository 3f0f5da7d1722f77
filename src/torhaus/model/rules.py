"""The rules in force, compiled. Immutable: a change makes a new snapshot."""

from collections.abc import Mapping

import msgspec

from torhaus.model.access import Access
from torhaus.model.approval import ApprovalSettings
from torhaus.model.cost import NO_COSTS, Costs
from torhaus.model.grant import Grant
from torhaus.model.limits import NO_LIMITS, Limits
from torhaus.model.networks import Network
from torhaus.model.notify import Webhook
from torhaus.model.people import AnonymousAccess, Principal
from torhaus.model.redaction import Pattern
from torhaus.model.servers import Server
from torhaus.model.views import ALONE, Aggregation, View


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`keys`: SHA-256 digest of an API key -> who it belongs to.

    `version` changes with every change of the file; `policy_version` only with what decides calls
    (people, roles, policies, classifications), so that approvals outlive other changes.
    `patterns`: what redaction masks beyond what the house knows by itself.
    `role_access`: role -> server (or `*`) -> what the role alone may do there, so that nobody
    hands out more than he holds. `roles`: every role's name; `groups`: name -> the e-mail addresses
    in it. `grants`: temporary access, from the file and from the database. `views`: several servers
    under one address, by its name; the empty one is the aggregate.
    """

    version: str
    policy_version: str = ""
    servers: Mapping[str, Server] = {}
    keys: Mapping[bytes, Principal] = {}
    anonymous: tuple[AnonymousAccess, ...] = ()
    principals: Mapping[str, Principal] = {}
    metrics_networks: tuple[Network, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    roles: tuple[str, ...] = ()
    role_access: Mapping[str, Mapping[str, Access]] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    grants: tuple[Grant, ...] = ()
    approvals: ApprovalSettings = ApprovalSettings()
    webhook: Webhook | None = None
    timezone: str = "UTC"
    limits: Limits = NO_LIMITS
    costs: Costs = NO_COSTS
    views: Mapping[str, View] = ALONE
    aggregate: Aggregation = Aggregation()
