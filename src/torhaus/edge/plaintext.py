"""What is said, and noticed, of requests that come without TLS (`server.plaintext`)."""

from collections.abc import Mapping

import msgspec

from torhaus.edge.peer import Peer
from torhaus.identity.credentials import shown

COOKIES = ("torhaus", "__Host-torhaus")


class Exposed(msgspec.Struct, frozen=True):
    """A credential crossed a network where others can read it. `ip`: where it came from."""

    secret: bytes
    ip: str


def refused(rule: str, peer: Peer) -> bool:
    """`rule`: `loopback`, `private` or `any`, from where http is accepted."""
    if peer.tls:
        return False
    return (rule == "private" and peer.public) or (rule == "loopback" and not peer.loopback)


def reason(public_url: str | None, peer: Peer, place: str | None) -> str:
    """A sentence, with what to type. `place`: a server's name, empty for all; None for pages."""
    if peer.vague:
        return (
            "the proxy does not say how you have reached it: "
            "it must send X-Forwarded-Proto, or proto in Forwarded"
        )
    secure = public_url if (public_url or "").startswith("https://") else None
    where = secure or "https://YOUR-GATEWAY"
    if place is None:
        return f"plaintext HTTP is refused from here, others could read along: use {where}"
    name, path = place or "torhaus", f"/mcp/{place}" if place else "/mcp"
    return (
        "plaintext HTTP is refused from here, others could read your key on the way. "
        f"Connect by https: claude mcp remove {name}; "
        f"claude mcp add --transport http {name} {where}{path}"
    )


def exposed(peer: Peer, headers: Mapping[bytes, bytes]) -> list[Exposed]:
    """Credentials that have come in the clear. None where it is not known how they came."""
    if peer.vague:
        return []
    sent = shown(headers.items())
    for pair in headers.get(b"cookie", b"").split(b";"):
        name, _, value = pair.strip().partition(b"=")
        if name.decode("latin-1") in COOKIES and value:
            sent.append(value)
    return [Exposed(each, peer.ip) for each in sent]
