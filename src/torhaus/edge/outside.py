"""The door's checks for requests that ASGI applications answer."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.edge.heads import Head
from torhaus.edge.peer import Peer, peer_of


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
    client = scope.get("client")
    return Outside(head, peer_of(client[0] if client else "", tls=scope["scheme"] == "https"))
