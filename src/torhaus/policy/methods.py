"""What the protocol's other requests need, those that call no tool."""

from collections.abc import Mapping
from typing import Any

import msgspec


class Need(msgspec.Struct, frozen=True):
    """One action on one type. `unknown` is held only by `SERVER:*` and `*`."""

    action: str
    type: str


# Enough is any permission at all on the server. Lists are filtered item by item.
OPEN = frozenset(
    {
        "initialize",
        "server/discover",
        "ping",
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
        "logging/setLevel",
        "subscriptions/listen",
    }
)

NEEDS = {
    "resources/read": Need("read", "resources"),
    "resources/subscribe": Need("read", "resources"),
    "resources/unsubscribe": Need("read", "resources"),
    "prompts/get": Need("read", "prompts"),
}

EXTENSION = Need("unknown", "")

_COMPLETES = {"ref/prompt": Need("read", "prompts"), "ref/resource": Need("read", "resources")}
_COMPLETES_ANY = Need("read", "*")


def need(method: str, params: Mapping[str, Any]) -> Need | None:
    """What a request needs; None when any permission on the server will do."""
    if method in OPEN or method.startswith("notifications/"):
        return None
    if method == "completion/complete":
        return _completion(params.get("ref"))
    return NEEDS.get(method, EXTENSION)


def _completion(ref: object) -> Need:
    kind = ref.get("type") if isinstance(ref, Mapping) else None
    return _COMPLETES.get(kind, _COMPLETES_ANY) if isinstance(kind, str) else _COMPLETES_ANY
