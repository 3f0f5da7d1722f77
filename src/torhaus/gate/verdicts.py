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

MOST = 8192
MAX_NAME = 128
"""Names are chosen by callers, who may be allowed any; longer ones are not worth remembering."""


class _Known(msgspec.Struct, frozen=True):
    caller: Principal
    server: Server
    hints: Mapping[str, Any]
    verdict: Allow


class Verdicts:
    """`decide`, with a memory for permissions to call a tool whose class is in no argument.

    A verdict is a function of immutable snapshots: as long as caller, server and hints are the
    very same objects, it is the same. A reload makes new ones, so it forgets nothing too late.
    Only the clock moves on its own, and an expiry is looked at every time.
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
            and (caller.expires is None or now < caller.expires)
        ):
            return known.verdict
        verdict = decide(call, now)
        short = len(call.operation) <= MAX_NAME
        if (
            short
            and isinstance(verdict, Allow)
            and not depends_on_arguments(server, call.operation)
        ):
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[key] = _Known(caller, server, call.hints, verdict)
        return verdict
