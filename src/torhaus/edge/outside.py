"""The door's checks for requests that ASGI applications answer."""

from collections.abc import Mapping, MutableMapping
from typing import Any

import msgspec

from torhaus.edge.heads import Head
from torhaus.edge.peer import Peer, peer_of
from torhaus.edge.proxies import SPOKEN, Proxies

_PEER = "torhaus.peer"


class Outside(msgspec.Struct, frozen=True):
    """A request as `Admission` looks at it."""

    head: Head
    peer: Peer


def outside(scope: Mapping[str, Any]) -> Outside:
    """Of an ASGI HTTP scope. The whole target is not kept: no check looks at it."""
    head = Head(scope["path"].encode())
    head.method = scope["method"].encode("ascii")
    for name, value in scope["headers"]:
        head.add(name, value)
    return Outside(head, peer(scope))


def peer(scope: Mapping[str, Any]) -> Peer:
    """Who asks, as far as `arrived` has found out."""
    found = scope.get(_PEER)
    if isinstance(found, Peer):
        return found
    client = scope.get("client")
    return peer_of(client[0] if client else "", tls=scope["scheme"] == "https")


def arrived(scope: MutableMapping[str, Any], proxies: Proxies) -> MutableMapping[str, Any]:
    """The scope as it would be without the trusted proxy in front: it is told of and forgotten."""
    before = peer(scope)
    told = Head(b"")
    for name, value in scope["headers"]:
        if name in SPOKEN:
            told.add(name, value)
    found = proxies.client(before, told.headers)
    if found is before:
        return scope
    return {
        **scope,
        _PEER: found,
        "client": (found.ip, 0),
        "scheme": "https" if found.tls else "http",
        "headers": [each for each in scope["headers"] if each[0] not in SPOKEN],
    }
