"""What can be seen of a request before it is read."""

import msgspec

from torhaus.model.people import Principal
from torhaus.model.servers import Server


class Scope(msgspec.Struct, frozen=True, gc=False, eq=False):
    """Who asks, where, and how: whatever a call depends on beside its body. Compared by identity.

    `headers`: in the modern era, those that say again what the body says; empty in a session, of
    which `client` and `protocol` are.
    """

    caller: Principal
    server: Server
    key: bytes | None
    ip: str
    headers: tuple[tuple[bytes, bytes], ...] = ()
    client: str = ""
    protocol: str = ""


class Sight(msgspec.Struct, frozen=True, gc=False):
    """`frame`: the body without what is new in it (`mcp.frames`)."""

    scope: Scope
    frame: bytes
