"""What the protocol itself says about keeping lists and contents (2026-07-28, caching)."""

import msgspec

from torhaus.cache.key import canonical, short
from torhaus.model.call import Call

HINTED = frozenset(
    (
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "resources/read",
        "server/discover",
    )
)
"""Methods whose results carry `ttlMs` and `cacheScope`."""

LONGEST_TTL = 86400.0
"""Seconds: whoever says a year may have meant milliseconds."""


class Hint(msgspec.Struct, frozen=True):
    """`seconds`: how long an answer lasts from its receipt. `public`: whoever asks may have it."""

    seconds: float
    public: bool


NOT_KEPT = Hint(0.0, public=False)


class _Hints(msgspec.Struct):
    ttl: int | float = msgspec.field(default=0, name="ttlMs")
    scope: str = msgspec.field(default="private", name="cacheScope")
    kind: str = msgspec.field(default="complete", name="resultType")


_read = msgspec.json.Decoder(_Hints).decode


def hint(result: bytes) -> Hint:
    """What a result says about itself. Negative or unreadable: not kept (checklist A.6)."""
    try:
        found = _read(result)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return NOT_KEPT
    if found.kind != "complete" or not found.ttl > 0:
        return NOT_KEPT
    # Capped first: of an integer of JSON with more than 308 digits there is no float.
    return Hint(min(found.ttl, LONGEST_TTL * 1000.0) / 1000.0, public=found.scope == "public")


def hinted_key(call: Call, *, public: bool) -> bytes | None:
    """The name under which a list or content is kept; None for what never is.

    A private one is kept for its caller. Cursor and URI are among the arguments.
    """
    if call.method not in HINTED or call.retry:
        return None
    server = call.server
    owner = [] if public else [call.caller.id]
    asked = {name: value for name, value in call.arguments.items() if name != "_meta"}
    try:
        whole = ["hinted", server.name, server.credential, call.method, asked, owner]
        return short(canonical(whole))
    except ValueError:
        return None


def tag_of(call: Call) -> str:
    """What `list_changed` and `resources/updated` drop it by."""
    return f"{call.server.name}.{call.method}"


def remaining(result: bytes, seconds: float, *, private: bool) -> bytes:
    """The result with `ttlMs` as long as our answer lasts; `private` when it was filtered.

    Raises msgspec.MsgspecError or UnicodeDecodeError when it is no JSON object.
    """
    members = msgspec.json.decode(result, type=dict[str, msgspec.Raw])
    members["ttlMs"] = msgspec.Raw(b"%d" % max(0, int(seconds * 1000)))
    if private:
        members["cacheScope"] = msgspec.Raw(b'"private"')
    return msgspec.json.encode(members)
