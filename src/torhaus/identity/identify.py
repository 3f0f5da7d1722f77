"""Who asks: from a credential or an address to a principal."""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address, ip_address

from torhaus.model.people import Network, Principal
from torhaus.model.rules import Rules

FORWARDED = (b"forwarded", b"x-forwarded-for", b"x-real-ip")
"""Headers of a proxy: with one of them the peer's address says nothing about who asks."""


def by_key(rules: Rules, key: bytes) -> Principal | None:
    """Whose key this is, or None. Found by digest, so timing tells nothing about the keys."""
    return rules.keys.get(sha256(key).digest())


def anonymous(rules: Rules, ip: str) -> Principal | None:
    """Who a request without a credential acts as, by the first listed network its peer is in.

    `ip`: the peer's address as text; anything that is none, such as a socket's path, is nobody.
    """
    if not rules.anonymous:
        return None
    address = _address(ip)
    if address is None:
        return None
    for access in rules.anonymous:
        if any(address in network for network in access.networks):
            return access.principal
    return None


def in_networks(networks: Sequence[Network], ip: str) -> bool:
    """Whether the peer's address, as text, lies in one of the networks."""
    address = _address(ip)
    return address is not None and any(address in network for network in networks)


@lru_cache(maxsize=1024)
def _address(ip: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    # A dual-stack listener reports IPv4 peers as ::ffff:192.0.2.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
