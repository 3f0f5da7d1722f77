"""Alice, GitHub, and calls between them, for the tests of the pure rooms."""

from collections.abc import Mapping
from typing import Any

from torhaus.model.access import Access
from torhaus.model.call import Call
from torhaus.model.people import Phase, Principal
from torhaus.model.servers import HttpAddress, Server, Window
from torhaus.policy.asked import Asked
from torhaus.policy.classify import classify
from torhaus.policy.permission import parse
from torhaus.policy.tables import shipped


def server(name: str = "github", **more: Any) -> Server:
    classes, parents = shipped(name, None)
    return Server(
        name=name,
        address=more.pop("address", HttpAddress(url="http://127.0.0.1:9000/mcp")),
        classes=more.pop("classes", classes),
        parents=more.pop("parents", parents),
        **more,
    )


GITHUB = server()
SENTRY = server("sentry")
ACME = server("acme")
HOURLY = Window(100, 3600.0)


def alice(
    *permissions: str, on: str = "github", expires: float | None = None, **more: Any
) -> Principal:
    """Alice, whose role developer holds these permissions; `more`: what else her access says."""
    held = tuple(parse(text, f"developer: {text}") for text in permissions)
    held += more.pop("allows", ())
    access = {on: Access(allows=held, **more)} if held or more else {}
    return Principal(
        id="u-alice",
        email="alice@example.org",
        expires=expires,
        phases=(Phase(roles=("developer",), access=access),),
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
        caller=alice("github.read") if by is None else by,
        server=at,
        method=more.pop("method", "tools/call"),
        operation=operation,
        arguments={} if arguments is None else arguments,
        payload=b"{}",
        ip="127.0.0.1",
        **more,
    )


def asked(it: Call, now: float = 1_700_000_000.0) -> Asked:
    """A tool call while it is decided."""
    does = classify(it.server, it.operation, it.arguments, it.hints)
    return Asked(it, now, it.caller.phase(now), does)
