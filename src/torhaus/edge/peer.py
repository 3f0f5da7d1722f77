"""The other end of a connection."""

from ipaddress import ip_address

import msgspec


class Peer(msgspec.Struct, frozen=True):
    """`public`: neither loopback nor a private network, as far as its address tells.

    `proxied`: a trusted proxy has told of it. `vague`: and did not say whether it came by https.
    """

    ip: str
    loopback: bool
    public: bool
    tls: bool
    proxied: bool = False
    vague: bool = False


UNKNOWN = "unknown"
"""The address of whoever a trusted proxy does not name in a way that can be read."""


def peer_of(host: str, *, tls: bool) -> Peer:
    """`host`: an address as text. What is no address, such as a socket's path, is neither."""
    try:
        address = ip_address(host)
    except ValueError:
        return Peer(host, loopback=False, public=False, tls=tls)
    # A dual-stack listener reports IPv4 peers as ::ffff:192.0.2.1.
    address = getattr(address, "ipv4_mapped", None) or address
    return Peer(str(address), address.is_loopback, address.is_global, tls)
