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
    }
)

LISTEN = "subscriptions/listen"
_READ = Need("read", "resources")

NEEDS = {
    "resources/read": _READ,
    "resources/subscribe": _READ,
    "resources/unsubscribe": _READ,
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
    if method == LISTEN:
        return _READ if _listened(params) else None
    return NEEDS.get(method, EXTENSION)


def _completion(ref: object) -> Need:
    kind = ref.get("type") if isinstance(ref, Mapping) else None
    return _COMPLETES.get(kind, _COMPLETES_ANY) if isinstance(kind, str) else _COMPLETES_ANY


def uris(method: str, params: Mapping[str, Any]) -> tuple[object, ...] | None:
    """The resources a request is about, as the caller wrote them; None where it names none."""
    if method == LISTEN:
        return _listened(params)
    return (params.get("uri"),) if NEEDS.get(method) is _READ else None


def _listened(params: Mapping[str, Any]) -> tuple[object, ...]:
    """The resources whose changes a listener asks for (2026-07-28, subscriptions/listen).

    Under any spelling and of any shape, as a server may read it otherwise than we do.
    """
    found: list[object] = []
    for name, asked in params.items():
        if name.casefold() in ("notifications", "filter", "subscriptions"):
            some = (
                asked.items() if isinstance(asked, Mapping) else (("resourcesubscriptions", asked),)
            )
        else:
            some = ((name, asked),)
        for kind, value in some:
            if kind.casefold() == "resourcesubscriptions" and value not in (None, []):
                found.extend(value if isinstance(value, list) else [value])
    return tuple(found)
