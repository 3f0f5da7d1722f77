"""A call that nobody waits for just now."""

import msgspec

from torhaus.gate.calls import Asking
from torhaus.model.call import Call
from torhaus.model.verdict import Allow


class Parked(msgspec.Struct, frozen=True):
    """A call whose answer is still to come, on a stream that the client opens to resume it."""

    asking: Asking
    call: Call
    verdict: Allow
    began: float
    started: float
