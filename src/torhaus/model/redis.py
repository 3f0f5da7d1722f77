"""Where several gateways share their cache and their counters."""

from enum import StrEnum

import msgspec

from torhaus.model.secret import Secret
from torhaus.model.tls import Tls


class Topology(StrEnum):
    """What answers at the given addresses: the server itself, its sentinels, or a cluster."""

    SINGLE = "single"
    SENTINEL = "sentinel"
    CLUSTER = "cluster"


class OnUnavailable(StrEnum):
    """What limits do while the shared counters cannot be reached.

    LOCAL: each gateway counts alone, within its share. DENY: every limited call is refused.
    """

    LOCAL = "local"
    DENY = "deny"


class Login(msgspec.Struct, frozen=True):
    """An ACL user; `default` for a server with one password for all."""

    user: str
    password: Secret


class RedisSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Redis 6.2 or newer, or Valkey. Times in seconds.

    `addresses`: (host, port) of one server, of the sentinels, or of some nodes of a cluster.
    `primary`: what the sentinels call the group. `sentinel_login`: for the sentinels themselves.
    `timeout`: how long one question may take before it is answered without the server.
    `namespace`: the start of every key and channel. `gateways`: how many share the limits; None:
    as many as were last seen.
    """

    addresses: tuple[tuple[str, int], ...]
    topology: Topology = Topology.SINGLE
    primary: str = "mymaster"
    login: Login | None = None
    sentinel_login: Login | None = None
    tls: Tls | None = None
    database: int = 0
    namespace: str = "torhaus"
    timeout: float = 0.25
    connect_timeout: float = 1.0
    on_unavailable: OnUnavailable = OnUnavailable.LOCAL
    gateways: int | None = None
