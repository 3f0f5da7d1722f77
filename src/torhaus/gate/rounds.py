"""`requestState` of multi-round requests: sealed on the way out, opened on the way back (M16).

Behind the gate all callers share the upstream's credential, so the upstream's own binding of its
state protects nobody. Ours binds it to the principal, the server and the very request.
"""

import hashlib

import msgspec

from torhaus.mcp.codes import INVALID_PARAMS
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.seal import Sealer, SealError, binding

LIFETIME = 3600.0

_decode = msgspec.json.decode


def bound(kind: str, request: Request, server: str, principal: str) -> bytes:
    """What a state of this kind is bound to: who may bring it back, where, with which request."""
    same = {
        key: value
        for key, value in request.params.items()
        if key not in ("_meta", "requestState", "inputResponses")
    }
    digest = hashlib.sha256(msgspec.json.encode(same, order="deterministic")).hexdigest()
    return binding(kind, server, principal, request.method, digest)


def is_retry(request: Request) -> bool:
    return "requestState" in request.params or "inputResponses" in request.params


def opened(request: Request, server: str, principal: str, sealer: Sealer, now: float) -> bytes:
    """The params of a retry with the upstream's own state. Raises CallerError (-32602)."""
    state = request.params.get("requestState")
    if state is None:
        return request.payload
    token = state if isinstance(state, str) else ""
    try:
        inner = sealer.unseal(token, bound("state", request, server, principal), now)
    except SealError as error:
        raise CallerError(
            INVALID_PARAMS,
            "requestState is not valid for this request: start the request again without it",
            id=request.id,
        ) from error
    return encode({**request.params, "requestState": inner.decode()})


def sealed(
    result: bytes, request: Request, server: str, principal: str, sealer: Sealer, now: float
) -> bytes:
    """An `input_required` result with its state sealed; any other result as it is."""
    if b"input_required" not in result:
        return result
    loose = _decode(result)
    if not isinstance(loose, dict) or loose.get("resultType") != "input_required":
        return result
    state = loose.get("requestState")
    if not isinstance(state, str):
        return result
    to = bound("state", request, server, principal)
    loose["requestState"] = sealer.seal(state.encode(), to, now + LIFETIME)
    return encode(loose)
