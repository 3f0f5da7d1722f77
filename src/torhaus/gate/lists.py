"""Lists as their caller may see them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.mcp.methods import LISTS, READS
from torhaus.model.people import Principal
from torhaus.model.servers import Server
from torhaus.policy.visible import listed, visible

UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""What reading a result can raise: the envelope was read before, its inside was not."""

_decode = msgspec.json.decode
_encode = msgspec.json.encode


class _Head(msgspec.Struct):
    name: str = ""
    annotations: dict[str, Any] | None = None


_head = msgspec.json.Decoder(_Head).decode

Sees = Callable[[str, Mapping[str, Any]], bool]


def shown(method: str, result: bytes, caller: Principal, server: Server, now: float) -> bytes:
    """A list result as this caller may see it now: what some arguments could make allowed.

    Raises one of UNREADABLE when the result is no such list: then nobody may see it.
    """
    access = caller.phase(now).on(server.name)
    if method == "tools/list":
        return filtered(method, result, lambda name, hints: visible(access, server, name, hints))
    if listed(access, server, READS[method]):
        return result
    return filtered(method, result, lambda name, hints: False)  # noqa: ARG005 -- the shape of Sees


def shown_whatever(result: bytes, caller: Principal, server: Server, now: float) -> bytes:
    """A result of an unknown method, every list in it as this caller may see it.

    Raises one of UNREADABLE.
    """
    loose = _decode(result, type=dict[str, msgspec.Raw])
    for method, member in LISTS.items():
        if member in loose and bytes(loose[member]).startswith(b"["):
            result = shown(method, result, caller, server, now)
    return result


def filtered(method: str, result: bytes, sees: Sees) -> bytes:
    """A list result without the items that `sees` (name, annotations) refuses.

    Items keep their bytes. A list is private to its caller (checklist A.6).
    Raises one of UNREADABLE when the result is no such list: then nobody may see it.
    """
    member = LISTS[method]
    loose = _decode(result, type=dict[str, msgspec.Raw])
    if member not in loose:
        raise msgspec.ValidationError(f"a {method} result has `{member}`")
    items = _decode(loose[member], type=list[msgspec.Raw])
    kept = [item for item in items if _visible(item, sees)]
    # Another caller may see another list, even where this one sees all of it.
    public = bytes(loose.get("cacheScope", b"")) == b'"public"'
    if len(kept) == len(items) and not public:
        return result
    loose[member] = msgspec.Raw(_encode(kept))
    if "cacheScope" in loose:
        loose["cacheScope"] = msgspec.Raw(b'"private"')
    return _encode(loose)


def _visible(item: msgspec.Raw, sees: Sees) -> bool:
    head = _head(item)
    return sees(head.name, head.annotations or {})
