"""A legacy client's session with one server, while it lives."""

from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import blake2b


@dataclass(slots=True, eq=False, kw_only=True)
class Session:
    """Live state, the one word here that changes. `token` is what the client holds.

    `capabilities` and `client_info` are JSON text from the client's `initialize`, kept so that a
    dead upstream session can be opened again. `upstream_id`: the upstream's session id.
    `version`: negotiated protocol version. `running`: JSON text of a request id -> what cancels it.
    `client`: the name in `client_info`, empty where there is none.
    `streams`: open listening streams. `live`: the table still holds it, so that this very object
    is the session. Times in Unix seconds.
    `unopened`: the upstream knows nothing of it yet; the first request opens its half.
    `mask` (31 bits) and `tag` (hex): from `jti`, what makes its request ids its own at the server.
    """

    token: str
    jti: str
    server: str
    principal: str
    version: str
    capabilities: bytes
    client_info: bytes
    client: str = ""
    created: float
    expires: float
    upstream_id: str | None = None
    last_used: float = 0.0
    initialized: bool = False
    unopened: bool = False
    closed: bool = False
    running: dict[bytes, Callable[[], object]] = field(default_factory=dict)
    streams: int = 0
    live: bool = True
    mask: int = field(init=False)
    tag: bytes = field(init=False)

    def __post_init__(self) -> None:
        digest = blake2b(self.jti.encode(), digest_size=12, person=b"request ids").digest()
        self.mask = int.from_bytes(digest[:4]) >> 1
        self.tag = digest[4:].hex().encode()
