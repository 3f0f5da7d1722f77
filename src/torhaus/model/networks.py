"""Networks as the rules name them."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import (
    IPv4Address,
    IPv4Network,
    IPv6Address,
    IPv6Network,
    ip_address,
    ip_network,
)

Network = IPv4Network | IPv6Network


def lies_in(networks: Iterable[Network], ip: str) -> bool:
    """Whether an address, as text, lies in one of the networks.

    What is no address, such as a socket's path, lies nowhere.
    """
    address = _address(ip)
    return address is not None and any(address in network for network in networks)


def household(ip: str) -> str:
    """What one caller has of addresses: an IPv4 one, or 64 bits of IPv6; for counting by it.

    What is no address stays as it is.
    """
    address = _address(ip)
    if address is None or address.version == 4:
        return ip if address is None else str(address)
    return str(ip_network((address, 64), strict=False))


def site(ip: str) -> str:
    """What one customer of a provider may have: an IPv4 address, or 48 bits of IPv6 (RFC 6177).

    That is 65,536 households, each of which he can pass for.
    """
    address = _address(ip)
    if address is None or address.version == 4:
        return household(ip)
    return str(ip_network((address, 48), strict=False))


@lru_cache(maxsize=1024)
def _address(ip: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(ip)
    except ValueError:
        return None
    # A dual-stack listener reports IPv4 peers as ::ffff:192.0.2.1.
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return address if mapped is None else mapped
