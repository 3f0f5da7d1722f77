"""What is read once, at the start: where to listen, where to write, what to expect of requests."""

from collections.abc import Mapping
from pathlib import Path

import msgspec

from torhaus.model.auditing import AuditSettings
from torhaus.model.keeping import Bucket, Retention
from torhaus.model.networks import Network
from torhaus.model.oauth import AuthorizationServer
from torhaus.model.redis import RedisSettings
from torhaus.model.secret import Secret
from torhaus.model.signin import LocalAccounts
from torhaus.model.tls import Shown


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The file's `server`, `audit_logs` and `storage` blocks.

    `public_url`: an origin without a trailing slash. `allowed_hosts` and `allowed_origins`: as
    configured, lower case. `max_body` in octets.
    `plaintext`: `loopback`, `private` or `any`.
    `tls`: what callers are shown; None for plain http. `trusted_proxies`: who is believed about who
    has called, in `proxy_headers`. `hsts`: seconds, 0 for none.
    `state_url`: a PostgreSQL URL; None for SQLite in `data_dir`. `cache_size`: octets that kept
    answers may take here. `redis`: where gateways share cache and limits; None for this process.
    `retention`: how long audit records stay where; `bucket`: where warm and cold ones are, None for
    the disk.
    `queries`: saved questions about the audit log, by name.
    `egress`: networks that may be reached besides the internet where others say where to go;
    `egress_ca`: a file of authorities to trust there. `oauth`: where AI clients sign in.
    `local`: accounts with a password here. `fresh_sign_in`: seconds that a sign-in may be old for
    what outlasts its session; 0 for any.
    """

    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    allowed_origins: tuple[str, ...] = ()
    plaintext: str = "private"
    tls: Shown | None = None
    trusted_proxies: tuple[Network, ...] = ()
    proxy_headers: str = "x-forwarded"
    hsts: int = 365 * 86400
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
    egress: tuple[Network, ...] = ()
    egress_ca: Path | None = None
    oauth: AuthorizationServer = AuthorizationServer()
    local: LocalAccounts = LocalAccounts()
    fresh_sign_in: float = 900.0


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
    changed = [name for name in _AT_START if getattr(old, name) != getattr(new, name)]
    # Other files are shown to whoever connects next; http does not turn into https like that.
    return [*changed, "tls"] if (old.tls is None) != (new.tls is None) else changed
