"""Who asks: from a credential or an address to a principal."""

from hashlib import sha256

from torhaus.model.networks import lies_in
from torhaus.model.people import Principal
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
    for access in rules.anonymous:
        if lies_in(access.networks, ip):
            return access.principal
    return None
