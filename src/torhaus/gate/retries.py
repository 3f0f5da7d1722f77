"""The rounds of a stateless caller's request that waits for approval (2026-07-28, MRTR).

The state grants nothing: who comes back is identified, decided and looked up anew. It is sealed
so that nobody can count his rounds anew, and bound so that it fits no other request.
"""

import msgspec

from torhaus.gate import rounds
from torhaus.gate.calls import Asking
from torhaus.mcp.codes import INVALID_PARAMS
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.seal import Sealer, SealError
from torhaus.model.servers import Era

PREFIX = "approval."
KEY = "torhaus-approval"
"""The name of our question among `inputRequests`."""


class Round(msgspec.Struct, frozen=True, array_like=True):
    """`approval`: the id of the request for it. `number`: how often the caller was sent back."""

    approval: str
    number: int


_decode = msgspec.msgpack.Decoder(Round).decode
_encode = msgspec.msgpack.Encoder().encode


class Returned(msgspec.Struct, frozen=True):
    """A request that came back. `asking`: as it was the first time.

    `action`: what the user did with the question (`accept`, `decline`, `cancel`), None if nothing.
    """

    asking: Asking
    round: Round
    action: str | None


def returned(asking: Asking, sealer: Sealer, now: float) -> Returned | None:
    """None for any other request, such as one that brings a server's own state.

    Raises CallerError (-32602) when the state is not ours, or was for another request.
    """
    request = asking.request
    state = request.params.get("requestState")
    if state is None or asking.era is not Era.MODERN:
        return None
    if not isinstance(state, str) or not state.startswith(PREFIX):
        return None
    try:
        known = _decode(sealer.unseal(state[len(PREFIX) :], _bound(asking), now))
    except (SealError, msgspec.MsgspecError) as error:
        text = "requestState is not valid for this request: start the request again without it"
        raise CallerError(INVALID_PARAMS, text, id=request.id) from error
    action = _action(request.params.get("inputResponses"))
    kept = dict(request.params)
    for name in ("requestState", "inputResponses"):
        kept.pop(name, None)
    first = Request(request.id, request.method, kept, encode(kept))
    return Returned(msgspec.structs.replace(asking, request=first), known, action)


def sealed(asking: Asking, known: Round, sealer: Sealer, until: float) -> str:
    return PREFIX + sealer.seal(_encode(known), _bound(asking), until)


def _bound(asking: Asking) -> bytes:
    return rounds.bound("approval", asking.request, asking.server.name, asking.caller.id)


def _action(responses: object) -> str | None:
    answer = responses.get(KEY) if isinstance(responses, dict) else None
    action = answer.get("action") if isinstance(answer, dict) else None
    return action if isinstance(action, str) else None
