"""What trusted proxies tell of whoever is behind them (`server.trusted_proxies`).

Only the peer's own word counts: the hop it wrote itself, and those before it as long as they too
are trusted. A name it was asked for (`X-Forwarded-Host`) and a user it may have let in
(`X-Forwarded-User` and its like) never count.
"""

import re
from collections.abc import Mapping, Sequence
from ipaddress import ip_address

from torhaus.edge.peer import UNKNOWN, Peer, peer_of
from torhaus.model.networks import Network, lies_in

MOST_HOPS = 32
MOST = 2048
FOR, PROTO, STANDARD = b"x-forwarded-for", b"x-forwarded-proto", b"forwarded"
LISTS = frozenset((FOR, PROTO, STANDARD))
"""Headers that a proxy may add as one more line; all of them are one list (RFC 9110 5.3)."""
SPOKEN = LISTS | {b"x-forwarded-host", b"x-forwarded-port", b"x-real-ip"}

_PAIR = re.compile(r'\s*([A-Za-z]+)=("[^"\\]*"|[^\s;,"]+)\s*')


class Proxies:
    """`standard`: they write `Forwarded` (RFC 7239), and not `X-Forwarded-For` and `-Proto`.

    One of the two, never both: a proxy passes on what it does not write, as a caller sent it.
    """

    def __init__(self, networks: Sequence[Network] = (), *, standard: bool = False) -> None:
        self._networks = tuple(networks)
        self._standard = standard
        self._known: dict[tuple[Peer, bytes, bytes], Peer] = {}

    def __bool__(self) -> bool:
        return bool(self._networks)

    def client(self, peer: Peer, headers: Mapping[bytes, bytes]) -> Peer:
        """Who is behind `peer`; `peer` itself where it is no trusted proxy, or tells of nobody."""
        if peer.proxied:
            return peer
        told = headers.get(STANDARD if self._standard else FOR)
        if told is None:
            return peer
        key = (peer, told, b"" if self._standard else headers.get(PROTO, b""))
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= MOST:
                self._known.clear()
            found = self._known[key] = self._read(*key)
        return found

    def trusts(self, ip: str) -> bool:
        return lies_in(self._networks, ip)

    def _read(self, peer: Peer, told: bytes, proto: bytes) -> Peer:
        if not self.trusts(peer.ip):
            return peer
        text = told.decode("latin-1")
        if self._standard:
            hops, schemes = _standard(text)
        else:
            hops = [each.strip() for each in text.split(",")]
            schemes = [each.strip() for each in proto.decode("latin-1").split(",") if each.strip()]
        secure = bool(schemes) and all(each.lower() == "https" for each in schemes)
        found = peer_of(self._first(hops), tls=secure)
        unknown = found.ip == UNKNOWN
        return Peer(
            ip=found.ip,
            loopback=found.loopback,
            public=found.public or unknown,
            tls=secure,
            proxied=True,
            vague=not schemes,
        )

    def _first(self, hops: Sequence[str]) -> str:
        """The last hop that is not a trusted proxy; the first one where all are."""
        address = UNKNOWN
        for hop in reversed(hops[-MOST_HOPS:]):
            address = _address(hop)
            if address == UNKNOWN or not self.trusts(address):
                return address
        return address if len(hops) <= MOST_HOPS else UNKNOWN


def _address(hop: str) -> str:
    """Without the port that some proxies add; `unknown` for names, and for what is no address."""
    bare = hop.strip().strip('"')
    if bare.startswith("["):
        bare, _, rest = bare[1:].partition("]")
        if rest and not (rest.startswith(":") and rest[1:].isdigit()):
            return UNKNOWN
    elif bare.count(":") == 1:
        bare, _, port = bare.partition(":")
        if not port.isdigit():
            return UNKNOWN
    try:
        return str(ip_address(bare)) if "%" not in bare else UNKNOWN
    except ValueError:
        return UNKNOWN


def _standard(text: str) -> tuple[list[str], list[str]]:
    """Hops and schemes of a `Forwarded` header; what cannot be read is an unknown hop."""
    hops, schemes = [], []
    for element in text.split(","):
        pairs: dict[str, str] = {}
        for part in element.split(";"):
            match = _PAIR.fullmatch(part)
            if match is None or match[1].lower() in pairs:
                return [UNKNOWN], []
            pairs[match[1].lower()] = match[2].strip('"')
        hops.append(pairs.get("for", UNKNOWN))
        if "proto" in pairs:
            schemes.append(pairs["proto"])
    return hops, schemes
