"""What a client of many servers asks to hear of, server by server."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.gate.aggregate import names
from torhaus.gate.aggregate.guests import Guest
from torhaus.mcp import codes
from torhaus.mcp.eras import CHANGED, SUBSCRIPTIONS
from torhaus.mcp.extensions import TASKS, declared
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.model.views import View

TASK_IDS = "taskIds"
MAX_URIS = 200
"""Resources of one listener; further ones are not granted."""

MAX_TASKS = 50
"""The same of tasks: each is decided anew every second."""

_LACKING = encode({"requiredCapabilities": {"extensions": {TASKS: {}}}})


class Wish(msgspec.Struct, frozen=True):
    """Kinds of lists; resources and tasks by server, as its own gate knows them."""

    kinds: frozenset[str] = frozenset()
    uris: Mapping[str, frozenset[str]] = {}
    tasks: Mapping[str, tuple[str, ...]] = {}


def wished(guest: Guest, request: Request) -> Wish:
    """What of a `subscriptions/listen` could be granted here.

    Raises CallerError (-32021) where a client asks for news of tasks that does not take tasks
    (extension `io.modelcontextprotocol/tasks`, Task Status Notifications).
    """
    asked = request.params.get("notifications")
    asked = asked if isinstance(asked, dict) else {}
    kinds = frozenset(kind for kind in CHANGED.values() if asked.get(kind) is True)
    uris = _uris(guest.view, _strings(asked, SUBSCRIPTIONS)[:MAX_URIS])
    wanted = _strings(asked, TASK_IDS)
    if wanted and not declared(request.params, TASKS):
        text = f"news of tasks are for clients that declare the extension {TASKS} with the request"
        raise CallerError(codes.MISSING_CAPABILITY, text, id=request.id, data=_LACKING)
    return Wish(kinds, uris, _tasks(guest.view, wanted[:MAX_TASKS]))


def _strings(asked: Mapping[str, Any], kind: str) -> list[str]:
    listed = asked.get(kind)
    return [each for each in listed if isinstance(each, str)] if isinstance(listed, list) else []


def _uris(view: View, listed: list[str]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for uri in listed:
        place = names.uri_in(uri)
        pick = None if place is None else view.pick(place[0])
        if place is not None and pick is not None and names.shown_at(pick.resources, place[1]):
            found.setdefault(place[0], set()).add(place[1])
    return {server: frozenset(uris) for server, uris in found.items()}


def _tasks(view: View, listed: list[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, dict[str, None]] = {}
    for task in listed:
        place = names.task_in(task)
        if place is not None and view.pick(place[0]) is not None:
            found.setdefault(place[0], {})[place[1]] = None
    return {server: tuple(tokens) for server, tokens in found.items()}
