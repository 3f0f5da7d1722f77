"""The rules in force, compiled. Immutable: a change makes a new snapshot."""

from collections.abc import Mapping

import msgspec

from torhaus.model.access import Access
from torhaus.model.approval import ApprovalSettings
from torhaus.model.cost import NO_COSTS, Costs
from torhaus.model.grant import Grant
from torhaus.model.letters import MailServer
from torhaus.model.limits import NO_LIMITS, Limits
from torhaus.model.networks import Network
from torhaus.model.notify import Webhook
from torhaus.model.people import AnonymousAccess, Principal
from torhaus.model.person import Team
from torhaus.model.providers import Provider
from torhaus.model.provisioning import ScimSource
from torhaus.model.redaction import Pattern
from torhaus.model.servers import Server
from torhaus.model.vault import Rotation
from torhaus.model.views import ALONE, Aggregation, View


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """`keys`: SHA-256 digest of an API key -> who it belongs to.

    `version` changes with every change of the file; `policy_version` only with what decides calls
    (people, roles, policies, classifications), so that approvals outlive other changes.
    `patterns`: what redaction masks beyond what the house knows by itself.
    `role_access`: role -> server (or `*`) -> what the role alone may do there, so that nobody
    hands out more than he holds. `roles`: every role's name; `groups`: name -> the e-mail addresses
    in it. `unknown_roles`: (address, role) of people of the database in roles that are no more.
    `grants`: temporary access, from the file and from the database. `views`: several servers under
    one address, by its name; the empty one is the aggregate. `providers`: who says who somebody
    is, in the order of the file. `scim`: who may push users and groups. `filed`: people of the
    file, which says what they may, whatever else is known of them -> who answers for a service
    account, None for a person. `held`: their roles, also while they are away and no principals.
    `teams`: groups of the file; their members are in `groups`. `key_numbers`: digest of a
    key -> which of its owner's keys it is in the file, from 1 on.
    """

    version: str
    policy_version: str = ""
    servers: Mapping[str, Server] = {}
    keys: Mapping[bytes, Principal] = {}
    key_numbers: Mapping[bytes, int] = {}
    anonymous: tuple[AnonymousAccess, ...] = ()
    principals: Mapping[str, Principal] = {}
    metrics_networks: tuple[Network, ...] = ()
    patterns: tuple[Pattern, ...] = ()
    roles: tuple[str, ...] = ()
    role_access: Mapping[str, Mapping[str, Access]] = {}
    groups: Mapping[str, tuple[str, ...]] = {}
    grants: tuple[Grant, ...] = ()
    approvals: ApprovalSettings = ApprovalSettings()
    unknown_roles: tuple[tuple[str, str], ...] = ()
    webhook: Webhook | None = None
    mail: MailServer | None = None
    timezone: str = "UTC"
    limits: Limits = NO_LIMITS
    costs: Costs = NO_COSTS
    views: Mapping[str, View] = ALONE
    aggregate: Aggregation = Aggregation()
    providers: tuple[Provider, ...] = ()
    scim: tuple[ScimSource, ...] = ()
    filed: Mapping[str, str | None] = {}
    held: Mapping[str, tuple[str, ...]] = {}
    teams: tuple[Team, ...] = ()
    rotation: Rotation = Rotation()
