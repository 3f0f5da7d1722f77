"""How a caller hears that he has to connect an account first, and how his call comes back.

URL elicitation where the client can: in 2026-07-28 as an `InputRequiredResult`, in 2025-11-25 as
the error -32042, which is made for this. Everybody else reads a sentence with the link.
"""

from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from torhaus.gate import rounds
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.delivery import ELICIT, shows_links
from torhaus.gate.sentences import sentence
from torhaus.mcp import codes
from torhaus.mcp.message import CallerError, Request, encode, error_object
from torhaus.mcp.seal import Sealer, SealError
from torhaus.model.outcome import Answer
from torhaus.model.people import Principal
from torhaus.model.ports import NotConnected
from torhaus.model.servers import Era

PREFIX = "connect."
KEY = "torhaus-connect"
"""The name of our question among `inputRequests`."""
META = "torhaus/connect"
LIFETIME = 900.0

Link = Callable[[Principal, str, NotConnected], str | None]
"""Where this caller connects an account at this server; None where he cannot."""


def nowhere(_caller: Principal, _server: str, _missing: NotConnected) -> str | None:
    """Of a gate without pages."""
    return None


@dataclass(slots=True, kw_only=True)
class Connect:
    """`clock`: Unix seconds."""

    link: Link
    sealer: Sealer
    clock: Callable[[], float]

    def returned(self, asking: Asking) -> Asking:
        """The request as it was the first time. Raises CallerError when the state is not ours."""
        request = asking.request
        state = request.params.get("requestState")
        if state is None:  # nearly every call
            return asking
        ours = isinstance(state, str) and state.startswith(PREFIX)
        if asking.era is not Era.MODERN or not ours:
            return asking
        try:
            self.sealer.unseal(state[len(PREFIX) :], _bound(asking), self.clock())
        except SealError as error:
            text = "requestState is not valid for this request: start the request again without it"
            raise CallerError(codes.INVALID_PARAMS, text, id=request.id) from error
        kept = dict(request.params)
        for name in ("requestState", "inputResponses"):
            kept.pop(name, None)
        first = Request(request.id, request.method, kept, encode(kept))
        return msgspec.structs.replace(asking, request=first)

    def known(self, asking: Asking, catalogue: Catalogue) -> Answer | None:
        """The tools that are pinned, so that clients stay at it; None where this asks for more."""
        request = asking.request
        if request.method != "tools/list" or "cursor" in request.params:
            return None
        found = catalogue.accepted(asking.server)
        if found is None:
            return None
        more = b',"resultType":"complete","ttlMs":0,"cacheScope":"private"}'
        return Answer(result=found[:-1] + more if asking.era is Era.MODERN else found)

    def told(self, asking: Asking, missing: NotConnected, *, again: bool) -> Answer:
        """What he gets instead of an answer. `again`: he was shown the link a moment ago."""
        link = self.link(asking.caller, asking.server.name, missing)
        text = _sentence(asking.server.name, missing, link)
        if link is None or again or not shows_links(asking):
            return _plain(asking, text, link)
        if asking.era is Era.MODERN:
            return self._asks(asking, text, link)
        shown = {"mode": "url", "elicitationId": asking.server.name, "url": link, "message": text}
        data = encode({"elicitations": [shown]})
        return Answer(error=error_object(codes.LINKS_REQUIRED, text, data))

    def _asks(self, asking: Asking, text: str, link: str) -> Answer:
        state = PREFIX + self.sealer.seal(b"", _bound(asking), self.clock() + LIFETIME)
        ask = {"method": ELICIT, "params": {"mode": "url", "message": text, "url": link}}
        result = {
            "resultType": "input_required",
            "inputRequests": {KEY: ask},
            "requestState": state,
            "_meta": {META: {"url": link}},
        }
        return Answer(result=encode(result))


def _sentence(server: str, missing: NotConnected, link: str | None) -> str:
    if link is None:
        return f"{server} cannot be used yet: {missing}."
    what = "sign in" if missing.provider else "connect it"
    return f"{server} cannot be used yet: {missing}. Open {link} to {what}, then call again."


def _plain(asking: Asking, text: str, link: str | None) -> Answer:
    known = (META, {} if link is None else {"url": link})
    return sentence(asking.request.method, asking.era, codes.NOT_CONNECTED, text, known)


def _bound(asking: Asking) -> bytes:
    return rounds.bound("connect", asking.request, asking.server.name, asking.caller.id)
