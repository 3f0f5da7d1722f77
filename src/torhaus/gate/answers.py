"""Answers of servers as their callers may have them."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec

from torhaus.gate import described, questions, rounds
from torhaus.gate.calls import Asking
from torhaus.gate.catalogue import Catalogue
from torhaus.gate.described import HELLOS
from torhaus.gate.ends import told
from torhaus.gate.further import Further
from torhaus.gate.learning import by
from torhaus.gate.lists import UNREADABLE, shown, shown_whatever
from torhaus.gate.masking import Masking
from torhaus.gate.tasks import Tasks, unlisted
from torhaus.mcp import codes
from torhaus.mcp.message import error_object
from torhaus.mcp.methods import LISTS, MAY_ASK
from torhaus.mcp.seal import Sealer
from torhaus.model.outcome import Answer
from torhaus.model.people import Principal
from torhaus.model.ports import UpstreamError
from torhaus.model.servers import ASKABLE, Era, Server
from torhaus.redact.guard import Guard

MODERN = Era.MODERN  # looking a member up costs more than comparing with it


@dataclass(slots=True, kw_only=True)
class Answers:
    """Owned by one event loop. `clock`: Unix seconds."""

    catalogue: Catalogue
    sealer: Sealer
    tasks: Tasks
    further: Further
    masking: Masking
    guard: Guard
    clock: Callable[[], float]

    def finished(self, asking: Asking, answer: Answer) -> Answer:
        """The answer as this caller may have it: lists filtered, state of rounds sealed."""
        result = answer.result
        method = asking.request.method
        asks = asking.server.asks_among if asking.among else asking.server.asks
        may_ask = method in MAY_ASK or asking.task is not None
        if (asking.among or asks is not ASKABLE) and asking.era is MODERN and may_ask:
            answer = questions.checked(asking.request, answer, asking.server.name, asks)
            if asking.among and asking.task is None:  # of a task nobody would hear any more
                answer = questions.offered(asking.request, answer, asking.server.name)
            result = answer.result
        if result is None:
            return answer if asking.veil is not None else told(answer, self.guard)
        try:
            if method in LISTS:
                seen = self._list(asking, method, result)
            elif method in HELLOS:
                seen = unlisted(described.seen(method, result))
            elif asking.era is MODERN and method in MAY_ASK:
                server, who, now = asking.server.name, asking.caller.id, self.clock()
                seen = rounds.sealed(result, asking.request, server, who, self.sealer, now)
                if asking.agreed is not None:
                    seen = self.further.sealed(asking, asking.agreed, seen, now)
                seen = self.tasks.answered(asking, seen)
            elif method == "tools/call" or asking.task is not None:
                seen = self.tasks.answered(asking, result)
            else:
                return answer
        except UNREADABLE as error:
            raise UpstreamError("it sent a result that cannot be read") from error
        return answer if seen is result else msgspec.structs.replace(answer, result=seen)

    def replayed(self, answer: Answer, caller: Principal, server: Server) -> Answer:
        """An answer without its request, as this caller may see it: lists filtered, or masked."""
        seen = self.kept(answer, caller, server)
        return self.masking.replayed(seen, caller, server.name)

    def kept(self, answer: Answer, caller: Principal, server: Server) -> Answer:
        """A list that was kept, as this caller may see it: it says nothing of what is offered now.

        Or any other answer whose request is not known.
        """
        result = answer.result
        if result is None:
            return answer
        try:
            whole = described.whatever(result, partial(self.catalogue.shown, server))
            seen = shown_whatever(whole, caller, server, self.clock())
        except UNREADABLE:
            return Answer(error=error_object(codes.UPSTREAM_FAILED, "the answer cannot be read"))
        return answer if seen is result else msgspec.structs.replace(answer, result=seen)

    def _list(self, asking: Asking, method: str, result: bytes) -> bytes:
        """A list as this caller may see it: no tool that drifted, nothing that hides in a text."""
        server, now = asking.server, self.clock()
        if method == "tools/list":
            whole = "cursor" not in asking.request.params
            self.catalogue.seen(server, result, now, whole=whole, by=by(asking))
        clean = self.catalogue.shown(server, method, result)
        return shown(method, clean, asking.caller, server, now)
