"""Further rounds of an approved call: its server asks something before it acts (2026-07-28, MRTR).

The client then sends the same request again with the answers. It was agreed to once, and each
answer of the server's continues it once: in this process, for a while.
"""

from collections.abc import Callable
from typing import Any

import msgspec

from torhaus.gate import rounds
from torhaus.gate.calls import Agreement, Asking
from torhaus.mcp.codes import INVALID_PARAMS
from torhaus.mcp.message import CallerError, Request, encode
from torhaus.mcp.seal import Sealer, SealError
from torhaus.model.outcome import Refused
from torhaus.model.verdict import Deny
from torhaus.policy.refusals import DEFAULT_DENY

PREFIX = "approved."
LIFETIME = 900.0
MOST = 1000
"""Rounds that are open at a time; the oldest ends first."""


class _State(msgspec.Struct, frozen=True, array_like=True):
    """`inner`: the server's own state, as it is sealed for every caller; None where it has none."""

    approval: str
    version: str
    nonce: bytes
    inner: str | None


_pack = msgspec.msgpack.Encoder().encode
_unpack = msgspec.msgpack.Decoder(_State).decode


class Further:
    """Owned by one event loop. `random(n)` returns n random bytes."""

    def __init__(self, sealer: Sealer, random: Callable[[int], bytes]) -> None:
        self._sealer = sealer
        self._random = random
        self._open: dict[bytes, float] = {}

    def sealed(self, asking: Asking, agreed: Agreement, result: bytes, now: float) -> bytes:
        """An `input_required` result with a state that continues the call; others as they are."""
        if b"input_required" not in result:
            return result
        loose: Any = msgspec.json.decode(result)
        if not isinstance(loose, dict) or loose.get("resultType") != "input_required":
            return result
        inner = loose.get("requestState")
        nonce = self._random(16)
        self._keep(nonce, now)
        state = _State(agreed.id, agreed.version, nonce, inner if isinstance(inner, str) else None)
        token = self._sealer.seal(_pack(state), _bound(asking), now + LIFETIME)
        return encode({**loose, "requestState": PREFIX + token})

    def opened(self, asking: Asking, now: float) -> Asking | None:
        """The request as its server wants it, with what was agreed; None for any other request.

        Raises CallerError (-32602) when the state is not ours, or was for another request.
        """
        request = asking.request
        state = request.params.get("requestState")
        if not isinstance(state, str) or not state.startswith(PREFIX):
            return None
        try:
            known = _unpack(self._sealer.unseal(state[len(PREFIX) :], _bound(asking), now))
        except (SealError, msgspec.MsgspecError) as error:
            text = "requestState is not valid for this request: start the request again without it"
            raise CallerError(INVALID_PARAMS, text, id=request.id) from error
        params = dict(request.params)
        del params["requestState"]
        if known.inner is not None:
            params["requestState"] = known.inner
        first = Request(request.id, request.method, params, encode(params))

        async def take() -> Refused | None:
            return self._take(known)

        agreed = Agreement(id=known.approval, version=known.version, take=take)
        return msgspec.structs.replace(asking, request=first, agreed=agreed)

    def _take(self, known: _State) -> Refused | None:
        if self._open.pop(known.nonce, None) is not None:
            return None
        text = (
            f"This step of the call approved by {known.approval} was taken already, or too long "
            f"ago. Call again without requestState to ask anew."
        )
        return Refused(Deny(DEFAULT_DENY, "approval_used", text), known.approval)

    def _keep(self, nonce: bytes, now: float) -> None:
        for each in [each for each, until in self._open.items() if until <= now]:
            del self._open[each]
        if len(self._open) >= MOST:
            del self._open[next(iter(self._open))]
        self._open[nonce] = now + LIFETIME


def _bound(asking: Asking) -> bytes:
    return rounds.bound("approved", asking.request, asking.server.name, asking.caller.id)
