"""Networks as the rules name them."""

from ipaddress import IPv4Network, IPv6Network

Network = IPv4Network | IPv6Network
