"""From a request to many servers to one of theirs."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from torhaus.gate.aggregate import names
from torhaus.mcp import codes
from torhaus.mcp.extensions import in_front_of_many
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.params import Mark, repeated
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.servers import Server
from torhaus.model.views import View
from torhaus.policy.names import folded, normal

MAX_NAME = 80
"""How much of an unknown name is said back, in characters."""

Params = dict[str, Any]
Headers = tuple[tuple[str, str], ...]


class Routed(msgspec.Struct, frozen=True):
    """One server's own request. `fixed`: arguments that the caller did not give."""

    server: Server
    request: Request
    fixed: Mapping[str, Any] = {}


def routed(view: View, servers: Mapping[str, Server], request: Request) -> Routed:
    """Whose request it is, under that server's names. Raises CallerError."""
    route = ROUTES.get(request.method)
    if route is None:
        text = f"{request.method[:MAX_NAME]!r} is not served for several servers at once"
        raise CallerError(codes.METHOD_NOT_FOUND, text, status=404, id=request.id)
    if "task" in request.params:
        text = "tasks are not offered here: call the server at its own address"
        raise CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id)
    name, params, fixed = route(view, request)
    server = servers.get(name)
    if server is None:
        raise _unknown(request)
    params = _declared(params)
    own = Request(request.id, request.method, params, encode(params))
    return Routed(server, own, fixed)


def known(view: View, servers: Mapping[str, Server], request: Request) -> Routed | None:
    """The same of a call of a tool; None where nothing here has its name. Raises CallerError."""
    found = names.tool_in(view, str(request.params["name"]))
    pick = None if found is None else view.pick(found[0])
    if found is None or pick is None or found[0] not in servers:
        return None
    return routed(view, servers, request) if names.picked(pick.tools, found[1]) else None


def with_fixed(routed: Routed, sent: Headers, marked: tuple[Mark, ...]) -> Headers:
    """The headers that belong to the server's own request. Raises CallerError.

    What the caller cannot give he cannot repeat either, so it is repeated for him.
    """
    if not routed.fixed:
        return sent
    ours = tuple(mark for mark in marked if mark.path[0] in routed.fixed)
    told = {name for name, _ in sent}
    wrong = next((mark.header for mark in ours if mark.header in told), None)
    if wrong is not None:
        text = f"the header {wrong} repeats an argument that is fixed here"
        raise CallerError(codes.HEADER_MISMATCH, text, id=routed.request.id)
    return (*sent, *repeated(ours, routed.fixed))


def _named(request: Request, member: str) -> str:
    name = request.params.get(member)
    if not isinstance(name, str) or not name:
        text = f"params.{member} must be a string"
        raise CallerError(codes.INVALID_PARAMS, text, id=request.id)
    return name


def _unknown(request: Request) -> CallerError:
    """Nothing here has that name; no word about what exists elsewhere."""
    params, what, data = request.params, "name", None
    if request.method.startswith("resources/"):
        what, uri = "resource", params.get("uri")
        data = encode({"uri": uri}) if isinstance(uri, str) and len(uri) <= 2048 else None
    elif request.method in ("tools/call", "prompts/get"):
        what = request.method.partition("/")[0].removesuffix("s")
    elif request.method.startswith("tasks/"):
        what = "task"
    asked = params.get("uri", params.get("name", params.get("ref", params.get("taskId"))))
    said = asked if isinstance(asked, str) else encode(asked).decode()
    said = said if len(said) <= MAX_NAME else said[:MAX_NAME] + "…"
    text = f"Unknown {what}: {said}"
    return CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id, data=data)


Route = Callable[[View, Request], tuple[str, Params, Mapping[str, Any]]]


def _tool(view: View, request: Request) -> tuple[str, Params, Mapping[str, Any]]:
    found = names.tool_in(view, _named(request, "name"))
    pick = None if found is None else view.pick(found[0])
    if found is None or pick is None or not names.picked(pick.tools, found[1]):
        raise _unknown(request)
    server, tool = found
    fixed = view.fixed.get((server, normal(tool)), {})
    params = {**request.params, "name": tool}
    if fixed:
        params["arguments"] = _with(request, fixed)
    return server, params, fixed


def _with(request: Request, fixed: Mapping[str, Any]) -> object:
    """The caller's arguments and the fixed ones, of which he may not name any himself."""
    given = request.params.get("arguments", {})
    if not isinstance(given, dict):
        return given  # the gate refuses it
    taken = {folded(name) for name in fixed}
    wrong = next((name for name in given if folded(name) in taken), None)
    if wrong is not None:
        text = f"the argument {wrong[:MAX_NAME]!r} is fixed here: leave it out"
        raise CallerError(codes.INVALID_PARAMS, text, status=200, id=request.id)
    return {**given, **fixed}


def _prompt(view: View, request: Request) -> tuple[str, Params, Mapping[str, Any]]:
    server, prompt = _prompt_at(view, request, _named(request, "name"))
    return server, {**request.params, "name": prompt}, {}


def _prompt_at(view: View, request: Request, name: str) -> tuple[str, str]:
    found = names.prompt_in(name)
    pick = None if found is None else view.pick(found[0])
    if found is None or pick is None or not names.picked(pick.prompts, found[1]):
        raise _unknown(request)
    return found


def _resource(view: View, request: Request) -> tuple[str, Params, Mapping[str, Any]]:
    server, uri = _resource_at(view, request, _named(request, "uri"))
    return server, {**request.params, "uri": uri}, {}


def _resource_at(view: View, request: Request, uri: str) -> tuple[str, str]:
    found = names.uri_in(uri)
    pick = None if found is None else view.pick(found[0])
    if found is None or pick is None or not names.shown_at(pick.resources, found[1]):
        raise _unknown(request)
    return found


def _completion(view: View, request: Request) -> tuple[str, Params, Mapping[str, Any]]:
    ref: Any = request.params.get("ref")
    match ref:
        case {"type": "ref/prompt", "name": str(said)}:
            server, name = _prompt_at(view, request, said)
            return server, {**request.params, "ref": _only(ref, name=name)}, {}
        case {"type": "ref/resource", "uri": str(said)}:
            server, uri = _resource_at(view, request, said)
            return server, {**request.params, "ref": _only(ref, uri=uri)}, {}
        case _:
            pass
    text = "params.ref must name a prompt (ref/prompt) or a resource (ref/resource)"
    raise CallerError(codes.INVALID_PARAMS, text, id=request.id)


def _only(ref: Mapping[str, Any], **said: str) -> dict[str, Any]:
    """A reference to this and nothing else: what a second name in it means, its server decides."""
    others = {each: value for each, value in ref.items() if folded(each) not in ("name", "uri")}
    return {**others, **said}


def _task(view: View, request: Request) -> tuple[str, Params, Mapping[str, Any]]:
    found = names.task_in(_named(request, "taskId"))
    if found is None or view.pick(found[0]) is None:
        raise _unknown(request)
    return found[0], {**request.params, "taskId": found[1]}, {}


ROUTES: dict[str, Route] = {
    "tools/call": _tool,
    "prompts/get": _prompt,
    "resources/read": _resource,
    "resources/subscribe": _resource,
    "resources/unsubscribe": _resource,
    "completion/complete": _completion,
    "tasks/get": _task,
    "tasks/update": _task,
    "tasks/cancel": _task,
}


def _declared(params: Params) -> Params:
    """The request with those extensions of its client that pass through here."""
    match params.get("_meta"):
        case {**meta} if isinstance(able := meta.get(CAPABILITIES_KEY), dict):
            if "extensions" not in able:
                return params
            kept = in_front_of_many(able, legacy=False)
            return {**params, "_meta": {**meta, CAPABILITIES_KEY: kept}}
        case _:
            return params
