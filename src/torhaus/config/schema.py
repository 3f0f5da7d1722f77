"""The file's shape: what may be written, and what each key means (editors show these words)."""

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, SecretStr, model_validator

from torhaus.config.access import (
    ADMINISTRATOR,
    BUILT_IN,
    AccessRule,
    Blocks,
    GroupName,
    GroupOrList,
    Role,
    RoleName,
)
from torhaus.config.addresses import Email, Host, Networks, Origin, PublicUrl, networks
from torhaus.config.amounts import Octets, Seconds, TimeZone, Whole, between
from torhaus.config.auditing import AuditLogs
from torhaus.config.caching import CachingSpec, InvalidationSpec
from torhaus.config.certificates import ServerTls
from torhaus.config.classification import DataClasses
from torhaus.config.costs import CostSpec
from torhaus.config.egress import EgressSpec
from torhaus.config.grants import Day, TemporaryAccess
from torhaus.config.limits import LimitSpec, PlanSpec
from torhaus.config.local import LocalSpec
from torhaus.config.notices import Approvals, Notifications
from torhaus.config.oauth import AuthServerSpec
from torhaus.config.policies import PolicySpec
from torhaus.config.problems import FaultError
from torhaus.config.providers import Entry, LdapSpec, OidcSpec, SamlSpec
from torhaus.config.rotation import RotationSpec
from torhaus.config.scim import ScimSpec
from torhaus.config.servers import ServerSpec
from torhaus.config.shape import Shape
from torhaus.config.storage import Storage
from torhaus.config.texts import Line
from torhaus.config.virtual import AggregateSpec, Slug, VirtualServerSpec, refuse_taken
from torhaus.model.names import HOUSE

LATER: Mapping[str, str] = {
    "alerts": "alerts",
    "ui": "the pages' settings",
}


def _address(value: str) -> str:
    if re.fullmatch(r"[0-9A-Za-z.:_-]{1,253}", value) is None:
        raise FaultError("this is not an address to listen on", "write 127.0.0.1, 0.0.0.0 or ::")
    return value


def _server_name(value: str) -> str:
    if re.fullmatch(r"[a-z][a-z0-9-]{0,62}", value) is None:
        raise FaultError("this is not a server's name", "use a-z, 0-9 and -, a letter first")
    if value in LATER or value in File.model_fields:
        raise FaultError("this name is a key of the file itself", "choose another name")
    if value == HOUSE:
        raise FaultError("this name means the gateway itself", "choose another name")
    refuse_taken(value)
    return value


ServerName = Annotated[str, AfterValidator(_server_name)]


class ServerSettings(Shape):
    """Where Torhaus listens, and whom it hears."""

    host: Annotated[str, AfterValidator(_address)] = "127.0.0.1"
    """The address to listen on; 0.0.0.0 for all. Needs a restart."""
    port: Annotated[Whole, between(0, 65535, "a port from 1 to 65535")] = 8080
    """The port to listen on; 0 lets the system choose. Needs a restart."""
    public_url: PublicUrl | None = None
    """Where people reach Torhaus, such as https://gateway.example.com."""
    allowed_hosts: tuple[Host, ...] = ()
    """Further Host headers to answer, besides loopback names and the public URL's."""
    allowed_origins: tuple[Origin, ...] = ()
    """Web pages (origins) whose scripts may call Torhaus."""
    plaintext: Literal["loopback", "private", "any"] = "private"
    """From where http without TLS is accepted."""
    tls: ServerTls | None = None
    """Certificates, for https without a proxy. Whether there are any needs a restart."""
    trusted_proxies: Networks = ()
    """Proxies in front that are believed when they say who has called, and how."""
    proxy_headers: Literal["x-forwarded", "forwarded"] = "x-forwarded"
    """What they say it in: X-Forwarded-For and -Proto, or Forwarded."""
    hsts: Annotated[Seconds, between(0, 2 * 365 * 86400.0, "off, or at most 2y")] = 365 * 86400.0
    """How long browsers that came by https never try http again; 0 to say nothing."""
    max_body: Annotated[Octets, between(1024, 1 << 30, "between 1KiB and 1GiB")] = 4 * 1024 * 1024
    """Largest request body, in bytes or as 4MiB."""
    metrics_networks: Networks = networks(["loopback"])
    """Who may read /metrics: networks, loopback or private."""
    data_dir: Line = "data"
    """Where Torhaus keeps its data, relative to the working directory. Needs a restart."""
    timezone: TimeZone = "UTC"
    """In which a day such as expires: 2025-12-31 ends; also of hours without one of their own."""
    hide_denied: bool = False
    """Answers a refused tool as an unknown one, on every server that does not say otherwise."""


class Anonymous(Shape):
    """Callers without any credential, from listed networks only."""

    networks: Networks
    """Where they may call from: networks, addresses, loopback or private."""
    roles: Annotated[tuple[RoleName, ...], Field(min_length=1)]
    """What they may do."""


class Auth(Shape):
    """How callers prove who they are. API keys always work; see users."""

    provider: Literal["oauth", "oidc", "saml", "ldap"] | None = None
    """Which of the four blocks below there has to be. Not needed."""
    oauth: OidcSpec | None = None
    """Sign-in with OpenID Connect, as provider `oauth`."""
    oidc: OidcSpec | None = None
    """The same, as provider `oidc`."""
    saml: SamlSpec | None = None
    """Sign-in with SAML 2.0, as provider `saml`. Needs `pip install "torhaus[saml]"`."""
    ldap: LdapSpec | None = None
    """Sign-in with LDAP or Active Directory, as provider `ldap`."""
    providers: tuple[Entry, ...] = ()
    """Identity providers with names of their own."""
    anonymous: Anonymous | None = None
    """Off unless given."""
    server: AuthServerSpec = AuthServerSpec()
    """Torhaus as the authorization server that AI clients sign in at."""
    local: LocalSpec = LocalSpec()
    """Accounts with a password here."""
    fresh_sign_in: Annotated[Seconds, between(0, 8 * 3600, "0 to 8h")] = 900.0
    """How old a sign-in may be for what outlasts it: keys, second factors; 0 never asks again."""
    scim: tuple[ScimSpec, ...] = ()
    """Who may push users and groups over SCIM 2.0, at /scim/v2."""


class User(Shape):
    """One person or program."""

    email: Email
    """Who it is, in audit records too."""
    role: RoleName | None = None
    """The one role; or use roles."""
    roles: tuple[RoleName, ...] = ()
    """Several roles; their permissions add up."""
    groups: tuple[GroupName, ...] = ()
    """Groups this user is in, besides those that list him."""
    expires: Day | None = None
    """The last day of access, or a moment such as 2025-12-31T18:00:00+01:00."""
    responsible: Email | None = None
    """Makes this a service account: the person who answers for it."""
    api_keys: tuple[SecretStr, ...] = ()
    """Keys this user calls with. Best as ${NAME}; compared by their SHA-256."""
    api_keys_file: Line | None = None
    """A file with one key a line."""
    later: ClassVar[Mapping[str, str]] = {
        "restrictions": "restrictions of single users; roles have them",
        "valid_from": "temporary access here; temporary_access has it",
        "valid_until": "temporary access here; temporary_access has it",
    }

    @model_validator(mode="after")
    def _has_role(self) -> Self:
        if self.role is not None and self.roles:
            raise FaultError("a user has a role or roles, one of the two", "give exactly one")
        if self.role is None and not self.roles and not self.groups:
            raise FaultError("a user has a role, roles or groups", "add role: NAME")
        return self


class File(Shape):
    """Torhaus: a gateway for MCP servers. Further keys are names of servers: see permissions."""

    # `github: {...}` beside `mcpServers: {github: ...}` is the same as under `permissions`.
    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Blocks]

    server: ServerSettings = ServerSettings()
    """Where Torhaus listens, and whom it hears."""
    auth: Auth = Auth()
    """How callers prove who they are."""
    mcpServers: dict[ServerName, ServerSpec] = Field(default_factory=dict)  # noqa: N815 - the product text's spelling
    """The servers behind the gate, by name. Clients call /mcp/NAME."""
    aggregate: AggregateSpec = AggregateSpec()
    """All servers at one address, /mcp, and lists of virtual servers."""
    virtual_servers: dict[Slug, VirtualServerSpec] = Field(default_factory=dict)
    """Some things of some servers, by name. Clients call /mcp/NAME."""
    accessControl: tuple[AccessRule, ...] = ()  # noqa: N815 - the product text's spelling
    """What roles may do. Adds to roles."""
    roles: dict[RoleName, Role] = Field(default_factory=dict)
    """Roles by name. One is there without being written: administrator, which opens everything."""
    users: tuple[User, ...] = ()
    """Who may call."""
    groups: dict[GroupName, GroupOrList] = Field(default_factory=dict)
    """People who are named together, by the group's name."""
    permissions: dict[ServerName, Blocks] = Field(default_factory=dict)
    """By server, then by user, role or group: what they may do there, to which things."""
    policies: tuple[PolicySpec, ...] = ()
    """Rules over calls: hours, networks, clients, conditions, consent."""
    temporary_access: tuple[TemporaryAccess, ...] = ()
    """Roles for a while."""
    data_classes: DataClasses = DataClasses()
    """What is sensitive, personal or administrative."""
    approvals: Approvals = Approvals()
    """Calls that somebody else has to agree to."""
    notifications: Notifications = Notifications()
    """Where people are told what waits for them."""
    caching: CachingSpec = Field(default_factory=CachingSpec.nothing)
    """Which answers are kept, by server and tool."""
    cache_invalidation: tuple[InvalidationSpec, ...] = ()
    """Which kept answers a call that writes makes untrue."""
    limits: tuple[LimitSpec, ...] = ()
    """Budgets of calls, besides the servers' own rateLimit."""
    plans: dict[GroupName, PlanSpec] = Field(default_factory=dict)
    """Calls a month and people, by the plan's name."""
    cost_tracking: tuple[CostSpec, ...] = ()
    """What calls cost, and how much may be spent."""
    audit_logs: AuditLogs = AuditLogs()
    """The record every call leaves."""
    rotation: RotationSpec = RotationSpec()
    """How old stored credentials for servers may be."""
    storage: Storage = Storage()
    """Where Torhaus keeps what lasts."""
    egress: EgressSpec = EgressSpec()
    """Where Torhaus may go when documents of others say where."""
    later: ClassVar[Mapping[str, str]] = LATER

    def every_role(self) -> dict[str, Role]:
        """The roles under `roles`, and the built-in one unless the file has its own of that name.

        Always there, not only where no role opens everything: whoever holds it must not lose it
        because somebody adds another to the file.
        """
        if any(rule.role == ADMINISTRATOR for rule in self.accessControl):
            return self.roles
        return {**self.roles, ADMINISTRATOR: self.roles.get(ADMINISTRATOR, BUILT_IN)}

    def blocks(self) -> "list[tuple[tuple[str, ...], str, Blocks]]":
        """(path, server, blocks), from both places a server's blocks may be in."""
        beside = [((name,), name, blocks) for name, blocks in self.__pydantic_extra__.items()]
        below = [(("permissions", name), name, each) for name, each in self.permissions.items()]
        return [*beside, *below]


def schema_json() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the file, with a description for every key, for editors."""
    schema = File.model_json_schema()
    servers = schema["properties"]["mcpServers"]
    servers["propertyNames"] = {"pattern": "^[a-z][a-z0-9-]{0,62}$"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "torhaus.yml",
        **{key: value for key, value in schema.items() if key != "title"},
    }
