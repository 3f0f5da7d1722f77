"""Which listening request a message on a shared pipe belongs to: it carries the request's id."""

import msgspec

from torhaus.mcp.eras import PREFIX
from torhaus.mcp.message import encode
from torhaus.upstream.envelope import Fields, canonical, fields

KEY = PREFIX + "subscriptionId"


def mark(values: Fields) -> int | None:
    """Our own id of the `subscriptions/listen` that these params or this result are for."""
    known = canonical(fields(values.get("_meta")).get(KEY))
    bare = b"" if known is None else known.strip(b'"')  # some servers spell ids as strings
    return int(bare) if bare.isdigit() and len(bare) < 16 else None


def marked(values: Fields, front: bytes) -> bytes:
    """The same for the caller, who knows the request by this id (JSON text)."""
    meta = fields(values.get("_meta"))
    meta[KEY] = msgspec.Raw(front)
    return encode({**values, "_meta": meta})
