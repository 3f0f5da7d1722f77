"""Lists as their caller may see them."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.mcp.methods import LISTS

_decode = msgspec.json.decode
_encode = msgspec.json.encode


class _Head(msgspec.Struct):
    name: str = ""
    annotations: dict[str, Any] | None = None


_head = msgspec.json.Decoder(_Head).decode

Sees = Callable[[str, Mapping[str, Any]], bool]


def filtered(method: str, result: bytes, sees: Sees) -> bytes:
    """A list result without the items that `sees` (name, annotations) refuses.

    Items keep their bytes. A list that lost items is private to its caller (checklist A.6).
    Raises msgspec.MsgspecError when the result is no such list: then nobody may see it.
    """
    member = LISTS[method]
    loose = _decode(result, type=dict[str, msgspec.Raw])
    items = _decode(loose[member], type=list[msgspec.Raw]) if member in loose else []
    kept = [item for item in items if _visible(item, sees)]
    if len(kept) == len(items):
        return result
    loose[member] = msgspec.Raw(_encode(kept))
    if "cacheScope" in loose:
        loose["cacheScope"] = msgspec.Raw(b'"private"')
    return _encode(loose)


def _visible(item: msgspec.Raw, sees: Sees) -> bool:
    head = _head(item)
    return sees(head.name, head.annotations or {})
