"""What is read once, at the start: where to listen, where to write, what to expect of requests."""

from pathlib import Path

import msgspec

from torhaus.config.addresses import is_loopback
from torhaus.model.people import Network


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The file's `server` and `audit_logs` blocks.

    `public_url`: an origin without a trailing slash. `allowed_hosts` and `allowed_origins`: as
    configured, lower case (see `accepted_hosts`). `max_body` in octets, `audit_flush` in seconds.
    `plaintext`: `loopback`, `private` or `any`; `durability`: `durable` or `async`.
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
    durability: str = "durable"
    audit_flush: float = 0.02
    timezone: str = "UTC"

    def accepted_hosts(self) -> frozenset[str] | None:
        """Names a Host header may hold, without port unless one was configured; None: any.

        Loopback names, the host listened on, the public URL's, and the configured ones. Any, only
        when listening beyond loopback with neither a public URL nor configured names: the names
        people use are not known then, and the loader warns.
        """
        outside = not is_loopback(self.host)
        if outside and self.public_url is None and not self.allowed_hosts:
            return None
        known = {"localhost", "127.0.0.1", "[::1]", *self.allowed_hosts}
        known.add(f"[{self.host}]" if ":" in self.host else self.host.lower())
        if self.public_url is not None:
            known.add(self.public_url.partition("://")[2])
        return frozenset(known)


# What is bound or opened at the start and kept.
_AT_START = ("host", "port", "data_dir", "durability", "audit_flush")


def restart_needed(old: Settings, new: Settings) -> list[str]:
    """The settings that differ and that only a restart can change."""
    return [name for name in _AT_START if getattr(old, name) != getattr(new, name)]
