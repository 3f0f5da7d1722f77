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

# What clients tell (2024-11-05 to 2026-07-28). A server may do anything at others.
NOTIFICATIONS = frozenset(
    {
        "notifications/initialized",
        "notifications/cancelled",
        "notifications/progress",
        "notifications/roots/list_changed",
        "notifications/tasks/status",
    }
)

LISTEN = "subscriptions/listen"
_FILTERS = frozenset({"notifications", "filter", "subscriptions"})
_LISTENED = frozenset(
    {"toolslistchanged", "promptslistchanged", "resourceslistchanged", "resourcesubscriptions"}
)
_READ = Need("read", "resources")

TASK_FILTERS = frozenset({"taskIds", "tasksStatus"})
"""What a listener asks for of tasks; the gate looks at each task by itself."""

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
    if method in OPEN or method in NOTIFICATIONS:
        return None
    if method == "completion/complete":
        return _completion(params.get("ref"))
    if method == LISTEN:
        if _extended(params):
            return EXTENSION
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


def without_tasks(params: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a listener asks for besides the news of tasks."""
    return {
        name: {kind: value for kind, value in asked.items() if kind not in TASK_FILTERS}
        if isinstance(asked, dict)
        else asked
        for name, asked in params.items()
    }


def _extended(params: Mapping[str, Any]) -> bool:
    """Whether a listener asks for news that only an extension knows, such as those of tasks."""
    return any(
        kind.casefold() not in _LISTENED and bool(value)
        for name, asked in params.items()
        if name.casefold() in _FILTERS and isinstance(asked, Mapping)
        for kind, value in asked.items()
    )


def _listened(params: Mapping[str, Any]) -> tuple[object, ...]:
    """The resources whose changes a listener asks for (2026-07-28, subscriptions/listen).

    Under any spelling and of any shape, as a server may read it otherwise than we do.
    """
    found: list[object] = []
    for name, asked in params.items():
        if name.casefold() in _FILTERS:
            some = (
                asked.items() if isinstance(asked, Mapping) else (("resourcesubscriptions", asked),)
            )
        else:
            some = ((name, asked),)
        for kind, value in some:
            if kind.casefold() == "resourcesubscriptions" and value not in (None, []):
                found.extend(value if isinstance(value, list) else [value])
    return tuple(found)
