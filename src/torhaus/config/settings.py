"""What is read once, at the start: where to listen, where to write, what to expect of requests."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from torhaus.model.auditing import AuditSettings
from torhaus.model.keeping import Bucket, Retention
from torhaus.model.networks import Network
from torhaus.model.redis import RedisSettings
from torhaus.model.secret import Secret


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The file's `server`, `audit_logs` and `storage` blocks.

    `public_url`: an origin without a trailing slash. `allowed_hosts` and `allowed_origins`: as
    configured, lower case. `max_body` in octets.
    `plaintext`: `loopback`, `private` or `any`.
    `state_url`: a PostgreSQL URL; None for SQLite in `data_dir`. `cache_size`: octets that kept
    answers may take here. `redis`: where gateways share cache and limits; None for this process.
    `retention`: how long audit records stay where; `bucket`: where warm and cold ones are, None for
    the disk.
    `queries`: saved questions about the audit log, by name.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    plaintext: str = "private"
    max_body: int = 4 * 1024 * 1024
    metrics_networks: tuple[Network, ...] = ()
    data_dir: Path = Path("data")
    audit: AuditSettings = AuditSettings()
    timezone: str = "UTC"
    state_url: Secret | None = None
    cache_size: int = 256 << 20
    redis: RedisSettings | None = None
    retention: Retention = Retention()
    bucket: Bucket | None = None
    queries: Mapping[str, str] = {}


# What is bound or opened at the start and kept.
_AT_START = (
    "host",
    "port",
    "data_dir",
    "audit",
    "state_url",
    "cache_size",
    "redis",
    "retention",
    "bucket",
)


def restart_needed(old: Settings, new: Settings) -> list[str]:
    """The settings that differ and that only a restart can change."""
    return [name for name in _AT_START if getattr(old, name) != getattr(new, name)]
