"""What servers may ask the client in the middle of a call: `asks` of each says it."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.mcp import codes, inputs
from torhaus.mcp.message import Request, encode, error_object, error_text
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.outcome import Answer
from torhaus.model.servers import Server
from torhaus.model.session import Session

DECIDES = "`asks` of the server decides that"
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


def declared(request: Request, asks: tuple[str, ...]) -> Request:
    """The request as its server may see it: what it may not ask, its client cannot do (M14)."""
    params = request.params
    if request.method == "initialize":
        told = params.get("capabilities")
        if not isinstance(told, dict):
            return request
        changed: dict[str, Any] = {**params, "capabilities": inputs.known_to(told, asks)}
    else:
        meta = params.get("_meta")
        told = meta.get(CAPABILITIES_KEY) if isinstance(meta, dict) else None
        if not isinstance(told, dict) or not isinstance(meta, dict):
            return request
        changed = {**params, "_meta": {**meta, CAPABILITIES_KEY: inputs.known_to(told, asks)}}
    return Request(request.id, request.method, changed, encode(changed))


def able(params: Mapping[str, Any], asks: tuple[str, ...]) -> bytes:
    """JSON text of what a client can do that begins a session, as its server may see it."""
    told = params.get("capabilities") or {}
    return encode(inputs.known_to(told, asks) if isinstance(told, dict) else told)


def refused(method: str, id: bytes, server: Server, session: Session | None) -> bytes | None:
    """What a server hears whose request to a client goes no further. None: it does."""
    name, may = inputs.ASKS.get(method), server.asks
    if session is not None and not session.token:
        # Sessions behind one with many servers are never named by a client.
        can = inputs.may_be_asked(session.capabilities)
        may = tuple(each for each in server.asks_among if each in can)
    if name is None or name in may:
        return None
    text = f"`{name}` is not offered to this server"
    return error_text(id, error_object(codes.METHOD_NOT_FOUND, text))


def checked(request: Request, answer: Answer, server: str, asks: tuple[str, ...]) -> Answer:
    """The answer to a stateless request, without what the server may not ask.

    What only the gateway has kept from the server is the gateway's to explain: a client that has
    declared it would declare it again for ever (M14).
    """
    if answer.result is None:
        return _explained(request, answer, server, asks)
    for name in _asked(request.method, answer.result):
        if name not in asks:
            text = f"{server} asks for `{name}`, which it may not here: {DECIDES}"
            return _failed(request.method, text)
    return answer


def _asked(method: str, result: bytes) -> list[str]:
    """The capabilities that the questions of a result need. What cannot be read asks nothing.

    A task says by its status that it asks (extension `io.modelcontextprotocol/tasks`).
    """
    try:
        loose = _members(result)  # only what tells: the rest of a long answer is passed over
        kind = msgspec.json.decode(loose.get("resultType", b"null"))
    except _BROKEN:
        return []
    if not method.startswith("tasks/") and kind != inputs.INPUT_REQUIRED:
        return []
    each = _object(bytes(loose.get("inputRequests", b""))).values()
    return [name for name in map(_needs, each) if name is not None]


def _needs(question: object) -> str | None:
    method = question.get("method") if isinstance(question, dict) else None
    return inputs.ASKS.get(method) if isinstance(method, str) else None


def allowed(params: dict[str, Any], asks: tuple[str, ...]) -> dict[str, Any]:
    """News of a task without what its server may not ask; whoever polls it is told."""
    keyed = params.get("inputRequests")
    if not isinstance(keyed, dict):
        return params
    needs = {key: _needs(each) for key, each in keyed.items()}
    kept = {key: keyed[key] for key, name in needs.items() if name is None or name in asks}
    return params if len(kept) == len(keyed) else {**params, "inputRequests": kept}


def offered(request: Request, answer: Answer, server: str) -> Answer:
    """The answer without questions for which the client has not offered what they need (M14).

    At a server's own address that is between the two; in front of many, the gateway is the server.
    """
    meta = request.params.get("_meta")
    can = meta.get(CAPABILITIES_KEY) if isinstance(meta, dict) else None
    asked = [] if answer.result is None else _asked(request.method, answer.result)
    lack = next((each for each in asked if not isinstance(can, dict) or each not in can), None)
    if lack is None:
        return answer
    text = f"{server} asks for something that this client has not offered: `{lack}`"
    return _failed(request.method, text)


def _explained(request: Request, answer: Answer, server: str, asks: tuple[str, ...]) -> Answer:
    error = _object(answer.error or b"{}")
    data = error.get("data")
    needed = data.get("requiredCapabilities") if isinstance(data, dict) else None
    if error.get("code") != codes.MISSING_CAPABILITY or not isinstance(needed, dict):
        return answer
    meta = request.params.get("_meta")
    can = meta.get(CAPABILITIES_KEY) if isinstance(meta, dict) else None
    ours = (name for name in inputs.ASKS.values() if name in needed and name not in asks)
    kept = next((name for name in ours if isinstance(can, dict) and name in can), None)
    if kept is None:
        return answer
    text = f"{server} needs `{kept}`, which it may not ask for here: {DECIDES}"
    return _failed(request.method, text)


def _failed(method: str, text: str) -> Answer:
    """How a call ends that cannot be asked about. A tool's end is for the model to read."""
    if method != "tools/call":
        return Answer(error=error_object(codes.INTERNAL_ERROR, text))
    told = {"content": [{"type": "text", "text": text}], "isError": True}
    return Answer(result=encode({**told, "resultType": "complete"}))


def _object(text: bytes) -> dict[str, Any]:
    try:
        found = msgspec.json.decode(text or b"{}")
    except _BROKEN:
        return {}
    return found if isinstance(found, dict) else {}
