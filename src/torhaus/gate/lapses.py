"""What becomes of calls that wait at their server for an answer which nobody brings.

Each round of such a call has left its record. That the server was told to give up is an end that no
round has seen, so it leaves a record of its own, whose reason names the round it follows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import msgspec
import structlog

from torhaus.audit.shape import record
from torhaus.cache.plan import READ
from torhaus.gate.calls import Asking
from torhaus.gate.intents import Intents
from torhaus.gate.masking import Veil
from torhaus.mcp.methods import MAY_ASK
from torhaus.mcp.versions import CAPABILITIES_KEY
from torhaus.model.call import Call
from torhaus.model.outcome import Abandoned
from torhaus.model.ports import Ask, LedgerError
from torhaus.model.servers import Era
from torhaus.model.verdict import Allow

log = structlog.get_logger()


@dataclass(slots=True, kw_only=True)
class Lapses:
    """Owned by one event loop. `ids` yields ids of calls."""

    intents: Intents
    ids: Callable[[], str]

    def over(self, asking: Asking, call: Call, verdict: Allow, ask: Ask) -> Ask:
        """The request as it goes to a server that may park it."""
        if asking.era is not Era.MODERN or call.method not in MAY_ASK:
            return ask
        changes = verdict.actions != READ
        meta = asking.request.params.get("_meta")
        if not isinstance(meta, dict) or not meta.get(CAPABILITIES_KEY):
            # Its client can be asked nothing, so it is never parked.
            return msgspec.structs.replace(ask, changes=True) if changes else ask
        lapsed = partial(self._lapsed, call, verdict, asking.veil, self.intents.clock())
        return msgspec.structs.replace(ask, changes=changes, lapsed=lapsed)

    def _lapsed(
        self, call: Call, verdict: Allow, veil: Veil | None, began: float, why: str
    ) -> None:
        intents = self.intents
        reason = f"{why}; it follows {call.id}"
        end = Abandoned(msgspec.structs.replace(verdict, reason=reason), verdict.approved)
        call = msgspec.structs.replace(call, id=self.ids())
        if verdict.redact is not None:
            call, _ = intents.masking.recorded(call, verdict, veil)
        try:
            intents.ledger.note(record(call, end, began, intents.clock() - began))
        except LedgerError:
            log.error("audit.lapse.lost", server=call.server.name, call=call.id)
