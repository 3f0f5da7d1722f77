"""Verdicts that no argument can change, remembered."""

from collections.abc import Mapping
from typing import Any

import msgspec

from torhaus.model.call import Call
from torhaus.model.people import Principal
from torhaus.model.servers import Server
from torhaus.model.verdict import Allow, Verdict
from torhaus.policy.classify import depends_on_arguments
from torhaus.policy.decide import decide
from torhaus.policy.hours import next_change
from torhaus.policy.index import index

MOST = 8192
MAX_NAME = 128
"""Names are chosen by callers, who may be allowed any; longer ones are not worth remembering."""


class _Known(msgspec.Struct, frozen=True):
    """It holds from `begins` until just before `ends`, in Unix seconds."""

    caller: Principal
    server: Server
    hints: Mapping[str, Any]
    verdict: Allow
    begins: float
    ends: float


class Verdicts:
    """`decide`, with a memory for permissions to call a tool whose class is in no argument.

    A verdict is a function of immutable snapshots: as long as caller, server and hints are the
    very same objects, it is the same. A reload makes new ones, so it forgets nothing too late.
    Only the clock moves on its own: phases, office hours and expiry say until when it is.
    """

    __slots__ = ("_known",)

    def __init__(self) -> None:
        self._known: dict[tuple[int, str, str], _Known] = {}

    def decide(self, call: Call, now: float) -> Verdict:
        if call.method != "tools/call":
            return decide(call, now)
        caller, server = call.caller, call.server
        key = (id(caller), server.name, call.operation)
        known = self._known.get(key)
        if (
            known is not None
            and known.caller is caller
            and known.server is server
            and known.hints is call.hints
            and known.begins <= now < known.ends
        ):
            return known.verdict
        verdict = decide(call, now)
        if isinstance(verdict, Allow) and len(call.operation) <= MAX_NAME:
            span = _span(call, now)
            if span is not None:
                if len(self._known) >= MOST:
                    self._known.clear()
                self._known[key] = _Known(caller, server, call.hints, verdict, *span)
        return verdict


def _span(call: Call, now: float) -> tuple[float, float] | None:
    """From when until when a verdict on the tool holds; None when it is one on this call alone."""
    if call.server.stops:
        return None
    phase = call.caller.phase(now)
    found = index(phase.on(call.server.name))
    if found.arguments or found.elsewhere or depends_on_arguments(call.server, call.operation):
        return None
    ends = min((phase.ends, *(next_change(hours, now) for hours in found.hours)))
    if call.caller.expires is not None:
        ends = min(ends, call.caller.expires)
    # What hours say of earlier moments was not asked; a clock that is set back asks again.
    return (now if found.hours else phase.begins), ends
