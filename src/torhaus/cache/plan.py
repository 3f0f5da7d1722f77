"""Whether a call's answer may come from the cache, and go into it."""

import msgspec

from torhaus.cache.key import key
from torhaus.model.call import Call
from torhaus.model.verdict import Allow

READ = frozenset({"read"})
MAX_RESULT = 1024 * 1024  # bytes


class Plan(msgspec.Struct, frozen=True, gc=False):
    """`key`: None for neither looking nor keeping. `ttl`: seconds. `tag`: `server.tool`."""

    key: bytes | None
    ttl: float
    tag: str


class _Result(msgspec.Struct, frozen=True):
    """The part of a tool's result that says what kind of result it is."""

    failed: bool = msgspec.field(default=False, name="isError")
    kind: str = msgspec.field(default="complete", name="resultType")
    scope: str = msgspec.field(default="public", name="cacheScope")
    lasts: int | float = msgspec.field(default=1, name="ttlMs")
    task: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


_RESULT = msgspec.json.Decoder(_Result)


def plan(call: Call, verdict: Allow) -> Plan:
    """Only tool calls that read and nothing else, on a server with a `cache.ttl`.

    A call that answers a server's question (`retry`) belongs to one conversation. The caller is
    not part of the key: who may use one upstream credential may see what it sees.
    """
    server = call.server
    tag = f"{server.name}.{call.operation}"
    ttl = server.cache_ttl
    if ttl is None or call.retry or call.method != "tools/call" or verdict.actions != READ:
        return Plan(None, 0.0, tag)
    try:
        return Plan(key(call), ttl, tag)
    except ValueError:
        return Plan(None, 0.0, tag)  # nothing is lost but the saving


def keepable(result: bytes) -> bool:
    """Whether a tool's result (JSON text) may be kept: complete, no error, at most 1 MiB.

    What the result says about itself (`ttlMs: 0`, a private `cacheScope`) is heeded, and tasks
    are left out: their handles belong to whoever started them.
    """
    if len(result) > MAX_RESULT:
        return False
    try:
        found = _RESULT.decode(result)
    except msgspec.MsgspecError:
        return False
    return (
        not found.failed
        and found.kind == "complete"
        and found.scope == "public"
        and found.lasts > 0
        and found.task is msgspec.UNSET
    )
