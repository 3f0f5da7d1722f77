"""Calls, people and servers for the rooms that know no policy."""

from collections.abc import Mapping
from typing import Any

from torhaus.config.upstreams import credential
from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import HttpAddress, Server, Window
from torhaus.model.verdict import Allow

HOURLY = Window(100, 3600.0)
READS = Allow("r", "r", frozenset({"read"}))


def server(name: str = "github", **more: Any) -> Server:
    address = more.pop("address", HttpAddress(url="http://127.0.0.1:9000/mcp"))
    return Server(
        name=name,
        address=address,
        credential=more.pop("credential", credential(address)),
        **more,
    )


GITHUB = server()


def person(name: str = "alice", *roles: str, groups: tuple[str, ...] = ()) -> Principal:
    return Principal(
        id=f"u-{name}",
        email=f"{name}@example.org",
        groups=groups,
        phases=(Phase(roles=roles or ("developer",)),),
    )


def call(
    operation: str,
    arguments: Mapping[str, Any] | None = None,
    *,
    by: Principal | None = None,
    at: Server = GITHUB,
    **more: Any,
) -> Call:
    return Call(
        id="c1",
        caller=person() if by is None else by,
        server=at,
        method=more.pop("method", "tools/call"),
        operation=operation,
        arguments={} if arguments is None else arguments,
        payload=b"{}",
        ip="127.0.0.1",
        **more,
    )
