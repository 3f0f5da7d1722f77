"""Networks as the rules name them."""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network


def lies_in(networks: Iterable[Network], ip: str) -> bool:
    """Whether an address, as text, lies in one of the networks.

    What is no address, such as a socket's path, lies nowhere.
    """
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
