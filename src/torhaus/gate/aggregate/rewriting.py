"""What servers answer and tell, with the names their things have for a caller of many servers.

Only named members are written anew; everything else keeps its bytes.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from torhaus.gate.aggregate import names
from torhaus.mcp.message import encode
from torhaus.model.views import View
from torhaus.policy.names import normal

Loose = dict[str, msgspec.Raw]

_decode = msgspec.json.decode
_SERVER = "torhaus/server"
ASKS = frozenset(("elicitation/create", "sampling/createMessage", "roots/list"))
UNREADABLE = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


def _loose(text: bytes | msgspec.Raw) -> Loose:
    """Raises one of UNREADABLE."""
    return _decode(text, type=Loose)


def _raw(value: object) -> msgspec.Raw:
    return msgspec.Raw(encode(value))


def _text(raw: msgspec.Raw | None) -> str | None:
    found = None if raw is None else _decode(raw)
    return found if isinstance(found, str) else None


# -- items of lists --------------------------------------------------------------------------------


class Item(msgspec.Struct, frozen=True, gc=False):
    """One item of a list: its name at its server, and its JSON text under ours."""

    name: str
    text: bytes


def tool(view: View, server: str, raw: msgspec.Raw) -> Item | None:
    """A tool as the view shows it, if it does."""
    item = _loose(raw)
    name, pick = _text(item.get("name")), view.pick(server)
    if name is None or pick is None or not names.picked(pick.tools, name):
        return None
    item["name"] = _raw(names.tool_out(view, server, name))
    fixed = view.fixed.get((server, normal(name)))
    if fixed and "inputSchema" in item:
        item["inputSchema"] = _without(item["inputSchema"], frozenset(fixed))
    if b"resourceUri" in bytes(item.get("_meta", b"")):
        item["_meta"] = _raw(_app(server, _decode(item["_meta"])))
    if b"taskSupport" in bytes(item.get("execution", b"")):
        kept = {k: v for k, v in _loose(item["execution"]).items() if k != "taskSupport"}
        item["execution"] = _raw(kept)
    return Item(name, encode(item))


def _without(schema: msgspec.Raw, fixed: frozenset[str]) -> msgspec.Raw:
    """The schema without arguments that are not the caller's to give."""
    loose = _loose(schema)
    if bytes(loose.get("properties", b"")).startswith(b"{"):
        kept = {k: v for k, v in _loose(loose["properties"]).items() if k not in fixed}
        loose["properties"] = _raw(kept)
    if bytes(loose.get("required", b"")).startswith(b"["):
        asked = _decode(loose["required"])
        kept_names = [each for each in asked if not (isinstance(each, str) and each in fixed)]
        loose["required"] = _raw(kept_names)
    return _raw(loose)


def _app(server: str, meta: Any) -> Any:
    """`_meta.ui.resourceUri` of MCP apps, and its older flat spelling."""
    if not isinstance(meta, dict):
        return meta
    changed = dict(meta)
    flat, nested = meta.get("ui/resourceUri"), meta.get("ui")
    if isinstance(flat, str):
        changed["ui/resourceUri"] = names.uri_out(server, flat)
    if isinstance(nested, dict) and isinstance(nested.get("resourceUri"), str):
        changed["ui"] = {**nested, "resourceUri": names.uri_out(server, nested["resourceUri"])}
    return changed


def prompt(view: View, server: str, raw: msgspec.Raw) -> Item | None:
    item, pick = _loose(raw), view.pick(server)
    name = _text(item.get("name"))
    if name is None or pick is None or not names.picked(pick.prompts, name):
        return None
    item["name"] = _raw(names.prompt_out(server, name))
    return Item(name, encode(item))


def _addressed(key: str) -> Callable[[View, str, msgspec.Raw], Item | None]:
    def addressed(view: View, server: str, raw: msgspec.Raw) -> Item | None:
        item, pick = _loose(raw), view.pick(server)
        uri = _text(item.get(key))
        if uri is None or pick is None or not names.shown_at(pick.resources, uri):
            return None
        item[key] = _raw(names.uri_out(server, uri))
        return Item(uri, encode(item))

    return addressed


ITEMS: dict[str, Callable[[View, str, msgspec.Raw], Item | None]] = {
    "tools/list": tool,
    "prompts/list": prompt,
    "resources/list": _addressed("uri"),
    "resources/templates/list": _addressed("uriTemplate"),
}
"""List method -> what makes one of its items ours."""


# -- results ---------------------------------------------------------------------------------------


_TELLING = (b'"uri"', b"input_required", b"resourceUri", b'"taskId"')


def result(server: str, text: bytes) -> bytes:
    """Any other result: addresses of resources in it, and who asks where it asks something.

    Raises one of UNREADABLE.
    """
    if not any(word in text for word in _TELLING):
        return text
    loose = _loose(text)
    task = _text(loose.get("taskId")) if "taskId" in loose else None
    if task is not None:
        loose["taskId"] = _raw(names.task_out(server, task))
        if bytes(loose.get("result", b"")).startswith(b"{"):  # what the call itself would answer
            loose["result"] = msgspec.Raw(result(server, bytes(loose["result"])))
    for member, change in _MEMBERS.items():
        if bytes(loose.get(member, b""))[:1] in (b"[", b"{"):
            loose[member] = _raw(change(server, _decode(loose[member])))
    return encode(loose)


def _contents(server: str, listed: Any) -> Any:
    """`contents` of resources/read."""
    return [_at(server, each) for each in listed] if isinstance(listed, list) else listed


def _at(server: str, thing: Any) -> Any:
    if not isinstance(thing, dict) or not isinstance(thing.get("uri"), str):
        return thing
    return {**thing, "uri": names.uri_out(server, thing["uri"])}


def _blocks(server: str, content: Any) -> Any:
    """Content blocks: links to resources, and resources that are inside."""
    if isinstance(content, list):
        return [_blocks(server, each) for each in content]
    if not isinstance(content, dict):
        return content
    if content.get("type") == "resource_link":
        return _at(server, content)
    if content.get("type") == "resource":
        return {**content, "resource": _at(server, content.get("resource"))}
    return content


def _messages(server: str, listed: Any) -> Any:
    if not isinstance(listed, list):
        return listed
    return [
        {**each, "content": _blocks(server, each.get("content"))}
        if isinstance(each, dict) and "content" in each
        else each
        for each in listed
    ]


def _asked(server: str, requests: Any) -> Any:
    """`inputRequests`: people are told which server wants to know."""
    if not isinstance(requests, dict):
        return requests
    return {key: _question(server, each) for key, each in requests.items()}


def _question(server: str, asked: Any) -> Any:
    match asked:
        case {"method": str(method), "params": dict(params)}:
            return {**asked, "params": _named(server, method, params)}
        case _:
            return asked


_MEMBERS: dict[str, Callable[[str, Any], Any]] = {
    "content": _blocks,
    "contents": _contents,
    "messages": _messages,
    "inputRequests": _asked,
    "_meta": _app,
}


def _named(server: str, method: object, params: dict[str, Any]) -> dict[str, Any]:
    """What a server asks its client, with the server's name in it."""
    meta = params.get("_meta")
    named = {**params, "_meta": {**(meta if isinstance(meta, dict) else {}), _SERVER: server}}
    if method == "elicitation/create" and isinstance(params.get("message"), str):
        named["message"] = f"[{server}] {params['message']}"
    return named


def error(server: str, text: bytes) -> bytes:
    """An error: `data.uri` of a resource that is not there. Raises one of UNREADABLE."""
    if b'"uri"' not in text:
        return text
    loose = _decode(text)
    if not isinstance(loose, dict) or not isinstance(loose.get("data"), dict):
        return text
    return encode({**loose, "data": _at(server, loose["data"])})


# -- what comes before a result, or on a listening stream ------------------------------------------


def request(server: str, method: str, params: bytes) -> bytes:
    """The params of a server's request to its client. Raises one of UNREADABLE."""
    loose = _decode(params or b"{}")
    if method not in ASKS or not isinstance(loose, dict):
        return params
    return encode(_named(server, method, loose))


def updated(server: str, params: bytes) -> bytes:
    """The params of `notifications/resources/updated`. Raises one of UNREADABLE."""
    return encode(_at(server, _decode(params or b"{}")))


def logged(server: str, params: dict[str, Any]) -> bytes:
    """The params of `notifications/message`, whose logger says which server it is."""
    logger = params.get("logger")
    own = f"{server}/{logger}" if isinstance(logger, str) and logger else server
    return encode({**params, "logger": own})
